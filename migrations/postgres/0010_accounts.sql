-- The second factor of an account. The secret follows from `salt` and the key of the data folder, so that a copy of the database has none.
-- Without `confirmed_ms` it is not asked for. `last_step` is the last step of thirty seconds whose code was used: none opens twice.
CREATE TABLE second_factors (
    name         TEXT COLLATE "C" PRIMARY KEY,
    salt         TEXT NOT NULL,
    confirmed_ms BIGINT,
    last_step    BIGINT NOT NULL
);

-- How each account wants its screens; JSON that the page alone understands.
CREATE TABLE preferences (
    who   TEXT COLLATE "C" PRIMARY KEY,
    body  TEXT NOT NULL,
    at_ms BIGINT NOT NULL
);

-- Codes by which residents prove that a number is theirs: of each a keyed hash, and how often it was guessed wrongly.
CREATE TABLE cabinet_codes (
    caller     BIGINT PRIMARY KEY,
    proof      TEXT NOT NULL,
    expires_ms BIGINT NOT NULL,
    wrong      BIGINT NOT NULL
);

-- What administrators decided on their screen, in order. `sections` is a JSON array of what was changed, `body` what it became, without passwords.
CREATE TABLE settings_revisions (
    revision BIGINT PRIMARY KEY,
    at_ms    BIGINT NOT NULL,
    by_name  TEXT COLLATE "C" NOT NULL,
    reason   TEXT NOT NULL,
    sections TEXT NOT NULL,
    body     TEXT NOT NULL
);
