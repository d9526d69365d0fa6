-- The last number given within a service and a year: cases are numbered without gaps.
CREATE TABLE case_counters (
    service TEXT NOT NULL,
    year    INTEGER NOT NULL,
    last    INTEGER NOT NULL,
    PRIMARY KEY (service, year)
) STRICT, WITHOUT ROWID;

-- What residents reported. `draft` is the page's own name for the form, so that a repeated request makes one case.
CREATE TABLE cases (
    id         INTEGER PRIMARY KEY NOT NULL,
    number     TEXT NOT NULL UNIQUE,
    caller     INTEGER,
    call_id    INTEGER,
    topic      TEXT NOT NULL,
    text       TEXT NOT NULL,
    status     TEXT NOT NULL CHECK (status IN ('open', 'closed')),
    created_by TEXT NOT NULL,
    draft      TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    closed_by  TEXT,
    closed_ms  INTEGER,
    UNIQUE (created_by, draft)
) STRICT;
CREATE INDEX cases_by_caller ON cases (caller, status) WHERE caller IS NOT NULL;
CREATE INDEX cases_by_status ON cases (status, id);

-- Accounts; `hash` is a PHC string (argon2id).
CREATE TABLE users (
    name       TEXT PRIMARY KEY NOT NULL,
    hash       TEXT NOT NULL,
    role       TEXT NOT NULL CHECK (role IN ('operator', 'quality', 'supervisor', 'administrator')),
    changed_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Signed-in browsers. `id` is the SHA-256 of the cookie's value, so that a copy of the database opens no session.
CREATE TABLE sessions (
    id         TEXT PRIMARY KEY NOT NULL,
    data       TEXT NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_expiry ON sessions (expires_ms);

-- Who opened which personal data: a resident's story, a recording.
CREATE TABLE access_log (
    id      INTEGER PRIMARY KEY NOT NULL,
    at_ms   INTEGER NOT NULL,
    who     TEXT NOT NULL,
    action  TEXT NOT NULL,
    subject TEXT NOT NULL
) STRICT;
