-- The first table of cases was in no release; the register takes its place.
DROP TABLE cases;
DROP TABLE case_counters;

-- What the city has decided about cases: topics, districts, working hours, terms, pauses, escalation. A change is a new revision.
CREATE TABLE register_rules (
    revision INTEGER PRIMARY KEY NOT NULL,
    at_ms    INTEGER NOT NULL,
    by_name  TEXT NOT NULL,
    body     TEXT NOT NULL
) STRICT;

-- Who executes. `secret` is the key by which a webhook's requests are signed and an organisation's own are known (its SHA-256).
CREATE TABLE organisations (
    id         TEXT PRIMARY KEY NOT NULL,
    name       TEXT NOT NULL,
    calendar   TEXT NOT NULL,
    head       TEXT,
    email      TEXT,
    phone      TEXT,
    webhook    TEXT,
    secret     TEXT,
    active     INTEGER NOT NULL CHECK (active IN (0, 1)),
    changed_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Which organisation gets cases of a topic and an area; NULL is any.
CREATE TABLE routes (
    id           INTEGER PRIMARY KEY NOT NULL,
    topic        TEXT,
    district     TEXT,
    street       INTEGER,
    building     INTEGER,
    organisation TEXT NOT NULL
) STRICT;

-- Streets with the names that people still use (a JSON array), and buildings with whoever answers for them.
CREATE TABLE streets (
    id     INTEGER PRIMARY KEY NOT NULL,
    name   TEXT NOT NULL UNIQUE,
    former TEXT NOT NULL,
    folded TEXT NOT NULL
) STRICT;
CREATE TABLE buildings (
    id              INTEGER PRIMARY KEY NOT NULL,
    street          INTEGER NOT NULL REFERENCES streets (id),
    house           TEXT NOT NULL,
    district        TEXT,
    lat             REAL,
    lon             REAL,
    chairman        TEXT,
    chairman_number TEXT,
    UNIQUE (street, house)
) STRICT;

-- Residents that a case was written for. `protected` names the group ("veteran"); without consent no message is sent.
CREATE TABLE residents (
    id         INTEGER PRIMARY KEY NOT NULL,
    name       TEXT,
    language   TEXT,
    protected  TEXT,
    consent_ms INTEGER,
    changed_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE resident_numbers (
    caller   INTEGER NOT NULL,
    resident INTEGER NOT NULL REFERENCES residents (id),
    PRIMARY KEY (caller, resident)
) STRICT, WITHOUT ROWID;
CREATE INDEX resident_numbers_by_resident ON resident_numbers (resident);

-- The history: only ever appended, each event with the hash of the one before (see `cases/chain.rs`).
CREATE TABLE chain (
    place   INTEGER PRIMARY KEY NOT NULL CHECK (place > 0),
    subject TEXT NOT NULL,
    at_ms   INTEGER NOT NULL,
    event   TEXT NOT NULL,
    words   BLOB CHECK (words IS NULL OR length(words) = 32),
    hash    BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE INDEX chain_by_subject ON chain (subject, place);

-- What people said, beside the events. Rows go when they are erased by law, and an event says so; nothing changes one.
CREATE TABLE chain_words (
    place INTEGER PRIMARY KEY NOT NULL,
    salt  BLOB NOT NULL CHECK (length(salt) = 32),
    words TEXT NOT NULL
) STRICT;

CREATE TRIGGER chain_is_not_changed BEFORE UPDATE ON chain
BEGIN SELECT RAISE(ABORT, 'the history cannot be altered: append a correction'); END;
CREATE TRIGGER chain_is_not_deleted BEFORE DELETE ON chain
BEGIN SELECT RAISE(ABORT, 'the history cannot be altered: append a correction'); END;
CREATE TRIGGER chain_is_only_appended BEFORE INSERT ON chain
WHEN NEW.place <> (SELECT COALESCE(MAX(place), 0) + 1 FROM chain)
BEGIN SELECT RAISE(ABORT, 'the history is only appended to'); END;
-- Also against INSERT OR REPLACE, which asks no trigger for what it deletes.
CREATE TRIGGER words_are_only_appended BEFORE INSERT ON chain_words
WHEN NEW.place IS NOT (SELECT MAX(place) FROM chain)
BEGIN SELECT RAISE(ABORT, 'words stand beside the event that was just appended'); END;
CREATE TRIGGER words_are_written_once BEFORE INSERT ON chain_words
WHEN EXISTS (SELECT 1 FROM chain_words WHERE place = NEW.place)
BEGIN SELECT RAISE(ABORT, 'the history cannot be altered: append a correction'); END;
CREATE TRIGGER words_are_not_changed BEFORE UPDATE ON chain_words
BEGIN SELECT RAISE(ABORT, 'the history cannot be altered: append a correction'); END;
-- Words go after the event that says so, in the same transaction; it names their place.
CREATE TRIGGER words_go_by_erasure_only BEFORE DELETE ON chain_words
WHEN NOT EXISTS (
    SELECT 1 FROM chain, json_each(chain.event, '$.what.events') AS gone
    WHERE chain.subject = (SELECT subject FROM chain WHERE place = OLD.place)
    AND json_extract(chain.event, '$.what.what') = 'erased' AND gone.value = OLD.place
)
BEGIN SELECT RAISE(ABORT, 'words go by an erasure only: append the event that names them first'); END;

-- Heads of the chain that were written elsewhere as well.
CREATE TABLE seals (
    place INTEGER PRIMARY KEY NOT NULL,
    head  TEXT NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT;
CREATE TRIGGER seals_are_written_once BEFORE INSERT ON seals
WHEN EXISTS (SELECT 1 FROM seals WHERE place = NEW.place)
BEGIN SELECT RAISE(ABORT, 'a seal cannot be altered'); END;
CREATE TRIGGER seals_are_not_changed BEFORE UPDATE ON seals
BEGIN SELECT RAISE(ABORT, 'a seal cannot be altered'); END;
CREATE TRIGGER seals_are_not_deleted BEFORE DELETE ON seals
BEGIN SELECT RAISE(ABORT, 'a seal cannot be altered'); END;

-- The last number given within a service and a year: cases are numbered without gaps.
CREATE TABLE case_counters (
    service TEXT NOT NULL,
    year    INTEGER NOT NULL,
    last    INTEGER NOT NULL,
    PRIMARY KEY (service, year)
) STRICT, WITHOUT ROWID;

-- Where each case stands: the fold of its events, written in the transaction that appends them. `body` is the whole fold, the columns are
-- what is asked for. `draft` is the form's own name, so that a repeated request makes one case. What is personal lies in `case_people`.
CREATE TABLE cases (
    id                 INTEGER PRIMARY KEY NOT NULL,
    number             TEXT NOT NULL UNIQUE,
    by_name            TEXT NOT NULL,
    draft              TEXT NOT NULL,
    kind               TEXT NOT NULL,
    channel            TEXT NOT NULL,
    topic              TEXT NOT NULL,
    priority           TEXT NOT NULL,
    district           TEXT,
    organisation       TEXT,
    state              TEXT NOT NULL,
    is_open            INTEGER NOT NULL CHECK (is_open IN (0, 1)),
    restricted         TEXT,
    call_id            INTEGER,
    registered_ms      INTEGER NOT NULL,
    reaction_due_ms    INTEGER NOT NULL,
    reaction_kept_ms   INTEGER,
    resolution_due_ms  INTEGER NOT NULL,
    resolution_kept_ms INTEGER,
    -- The next moment at which the clock has something to do with it: a step of escalation, or a control call.
    next_ms            INTEGER,
    reopened           INTEGER NOT NULL,
    last_place         INTEGER NOT NULL,
    body               TEXT NOT NULL,
    UNIQUE (by_name, draft)
) STRICT;
CREATE INDEX cases_by_organisation ON cases (organisation, is_open, resolution_due_ms);
CREATE INDEX cases_by_due ON cases (is_open, resolution_due_ms);
CREATE INDEX cases_by_reaction ON cases (reaction_due_ms) WHERE reaction_kept_ms IS NULL AND is_open;
CREATE INDEX cases_by_next ON cases (next_ms) WHERE next_ms IS NOT NULL;
CREATE INDEX cases_by_topic ON cases (topic, registered_ms);
CREATE INDEX cases_by_district ON cases (district, registered_ms);
CREATE INDEX cases_by_state ON cases (state, id);
CREATE INDEX cases_by_call ON cases (call_id) WHERE call_id IS NOT NULL;
CREATE INDEX cases_by_registration ON cases (registered_ms);

-- Whose case it is and where: what an erasure by law takes away. `caller` is the reference of the number.
CREATE TABLE case_people (
    number   TEXT PRIMARY KEY NOT NULL,
    caller   INTEGER,
    resident INTEGER,
    street   INTEGER,
    building INTEGER,
    flat     TEXT,
    lat      REAL,
    lon      REAL
) STRICT, WITHOUT ROWID;
CREATE INDEX case_people_by_caller ON case_people (caller) WHERE caller IS NOT NULL;
CREATE INDEX case_people_by_resident ON case_people (resident) WHERE resident IS NOT NULL;
CREATE INDEX case_people_by_building ON case_people (building) WHERE building IS NOT NULL;

-- Every time that somebody turned to the city, whether or not a case came of it.
CREATE TABLE contacts (
    id          INTEGER PRIMARY KEY NOT NULL,
    at_ms       INTEGER NOT NULL,
    by_name     TEXT NOT NULL,
    draft       TEXT NOT NULL,
    channel     TEXT NOT NULL,
    caller      INTEGER,
    call_id     INTEGER,
    topic       TEXT,
    district    TEXT,
    disposition TEXT NOT NULL,
    article     INTEGER,
    number      TEXT,
    UNIQUE (by_name, draft)
) STRICT;
CREATE INDEX contacts_by_time ON contacts (at_ms);
CREATE INDEX contacts_by_caller ON contacts (caller, at_ms) WHERE caller IS NOT NULL;
CREATE INDEX contacts_by_call ON contacts (call_id) WHERE call_id IS NOT NULL;

-- Accounts may belong to an organisation, or to a group that sees restricted topics.
CREATE TABLE users_anew (
    name         TEXT PRIMARY KEY NOT NULL,
    hash         TEXT NOT NULL,
    role         TEXT NOT NULL CHECK (role IN ('operator', 'quality', 'supervisor', 'administrator', 'organisation', 'city')),
    organisation TEXT,
    sees         TEXT NOT NULL DEFAULT '[]',
    changed_ms   INTEGER NOT NULL,
    CHECK ((role = 'organisation') = (organisation IS NOT NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO users_anew (name, hash, role, changed_ms) SELECT name, hash, role, changed_ms FROM users;
DROP TABLE users;
ALTER TABLE users_anew RENAME TO users;
