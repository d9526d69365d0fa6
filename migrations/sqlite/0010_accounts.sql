-- The second factor of an account. The secret follows from `salt` and the key of the data folder, so that a copy of the database has none.
-- Without `confirmed_ms` it is not asked for. `last_step` is the last step of thirty seconds whose code was used: none opens twice.
CREATE TABLE second_factors (
    name         TEXT PRIMARY KEY NOT NULL,
    salt         TEXT NOT NULL,
    confirmed_ms INTEGER,
    last_step    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- How each account wants its screens; JSON that the page alone understands.
CREATE TABLE preferences (
    who   TEXT PRIMARY KEY NOT NULL,
    body  TEXT NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Codes by which residents prove that a number is theirs: of each a keyed hash, and how often it was guessed wrongly.
CREATE TABLE cabinet_codes (
    caller     INTEGER PRIMARY KEY NOT NULL,
    proof      TEXT NOT NULL,
    expires_ms INTEGER NOT NULL,
    wrong      INTEGER NOT NULL
) STRICT;

-- What administrators decided on their screen, in order. `sections` is a JSON array of what was changed, `body` what it became, without passwords.
CREATE TABLE settings_revisions (
    revision INTEGER PRIMARY KEY NOT NULL,
    at_ms    INTEGER NOT NULL,
    by_name  TEXT NOT NULL,
    reason   TEXT NOT NULL,
    sections TEXT NOT NULL,
    body     TEXT NOT NULL
) STRICT;
