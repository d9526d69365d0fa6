-- The last number given within a service and a year: cases are numbered without gaps.
CREATE TABLE case_counters (
    service TEXT COLLATE "C" NOT NULL,
    year    BIGINT NOT NULL,
    last    BIGINT NOT NULL,
    PRIMARY KEY (service, year)
);

-- What residents reported. `draft` is the page's own name for the form, so that a repeated request makes one case.
CREATE TABLE cases (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number     TEXT COLLATE "C" NOT NULL UNIQUE,
    caller     BIGINT,
    call_id    BIGINT,
    topic      TEXT NOT NULL,
    text       TEXT NOT NULL,
    status     TEXT NOT NULL CHECK (status IN ('open', 'closed')),
    created_by TEXT COLLATE "C" NOT NULL,
    draft      TEXT COLLATE "C" NOT NULL,
    created_ms BIGINT NOT NULL,
    closed_by  TEXT,
    closed_ms  BIGINT,
    UNIQUE (created_by, draft)
);
CREATE INDEX cases_by_caller ON cases (caller, status) WHERE caller IS NOT NULL;
CREATE INDEX cases_by_status ON cases (status, id);

-- Accounts; `hash` is a PHC string (argon2id).
CREATE TABLE users (
    name       TEXT COLLATE "C" PRIMARY KEY,
    hash       TEXT NOT NULL,
    role       TEXT NOT NULL CHECK (role IN ('operator', 'quality', 'supervisor', 'administrator')),
    changed_ms BIGINT NOT NULL
);

-- Signed-in browsers. `id` is the SHA-256 of the cookie's value, so that a copy of the database opens no session.
CREATE TABLE sessions (
    id         TEXT COLLATE "C" PRIMARY KEY,
    data       TEXT NOT NULL,
    expires_ms BIGINT NOT NULL
);
CREATE INDEX sessions_by_expiry ON sessions (expires_ms);

-- Who opened which personal data: a resident's story, a recording.
CREATE TABLE access_log (
    id      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at_ms   BIGINT NOT NULL,
    who     TEXT NOT NULL,
    action  TEXT NOT NULL,
    subject TEXT NOT NULL
);
