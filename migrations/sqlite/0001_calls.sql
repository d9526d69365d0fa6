-- Projection: how far the facts of the journal have been written here. One row a projection.
CREATE TABLE projections (
    name     TEXT PRIMARY KEY NOT NULL,
    position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Projection: one row a call, filled in as its facts come.
CREATE TABLE calls (
    id           INTEGER PRIMARY KEY NOT NULL,
    number       TEXT,
    trunk        TEXT,
    caller       INTEGER,
    language     TEXT,
    topic        TEXT,
    queue        TEXT,
    agent        TEXT,
    started_ms   INTEGER,
    answered_ms  INTEGER,
    connected_ms INTEGER,
    waited_ms    INTEGER,
    ended_ms     INTEGER,
    end_reason   TEXT
) STRICT;
CREATE INDEX calls_by_caller ON calls (caller, id) WHERE caller IS NOT NULL;

-- Projection: one row a leg; number 0 is the resident's.
CREATE TABLE legs (
    call_id      INTEGER NOT NULL,
    n            INTEGER NOT NULL,
    party        TEXT,
    name         TEXT,
    started_ms   INTEGER,
    answered_ms  INTEGER,
    ended_ms     INTEGER,
    end_reason   TEXT,
    sound_lost   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (call_id, n)
) STRICT, WITHOUT ROWID;

-- Projection: one row for each time a caller stood in a queue; (position, place) is the identity of the fact that opened it.
CREATE TABLE queue_events (
    call_id     INTEGER NOT NULL,
    position    INTEGER NOT NULL,
    place       INTEGER NOT NULL,
    queue       TEXT NOT NULL,
    language    TEXT NOT NULL,
    skills      TEXT NOT NULL,
    entered_ms  INTEGER NOT NULL,
    left_ms     INTEGER,
    how         TEXT,
    waited_ms   INTEGER,
    PRIMARY KEY (call_id, position, place)
) STRICT, WITHOUT ROWID;

-- Projection: one row an offer; `why` is the explanation of the routing as JSON.
CREATE TABLE offers (
    call_id     INTEGER NOT NULL,
    position    INTEGER NOT NULL,
    place       INTEGER NOT NULL,
    queue       TEXT NOT NULL,
    agent       TEXT NOT NULL,
    why         TEXT NOT NULL,
    offered_ms  INTEGER NOT NULL,
    shown_ms    INTEGER,
    ended_ms    INTEGER,
    how         TEXT,
    PRIMARY KEY (call_id, position, place)
) STRICT, WITHOUT ROWID;

-- Projection: what an operator did from when until when; the open interval has no end.
CREATE TABLE agent_states (
    agent    TEXT NOT NULL,
    position INTEGER NOT NULL,
    place    INTEGER NOT NULL,
    state    TEXT NOT NULL,
    reason   TEXT,
    call_id  INTEGER,
    from_ms  INTEGER NOT NULL,
    until_ms INTEGER,
    PRIMARY KEY (agent, position, place)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX agent_states_open ON agent_states (agent) WHERE until_ms IS NULL;

-- Projection: steps of the dialplan that the caller entered, and keys pressed there.
CREATE TABLE steps (
    call_id  INTEGER NOT NULL,
    position INTEGER NOT NULL,
    place    INTEGER NOT NULL,
    step     TEXT NOT NULL,
    key      TEXT,
    at_ms    INTEGER NOT NULL,
    PRIMARY KEY (call_id, position, place)
) STRICT, WITHOUT ROWID;

-- Projection: recordings by their path below the recordings' folder.
CREATE TABLE recordings (
    call_id    INTEGER NOT NULL,
    n          INTEGER NOT NULL,
    path       TEXT NOT NULL,
    agent      TEXT,
    started_ms INTEGER,
    length_ms  INTEGER,
    lost_ms    INTEGER,
    PRIMARY KEY (call_id, n)
) STRICT, WITHOUT ROWID;

-- Projection, but for `done_ms` and `done_by`: callers who must be called back.
CREATE TABLE callbacks (
    call_id          INTEGER PRIMARY KEY NOT NULL,
    caller           INTEGER,
    queue            TEXT NOT NULL,
    language         TEXT NOT NULL,
    waiting_since_ms INTEGER NOT NULL,
    owed_ms          INTEGER NOT NULL,
    done_ms          INTEGER,
    done_by          TEXT
) STRICT;
CREATE INDEX callbacks_owed ON callbacks (waiting_since_ms) WHERE done_ms IS NULL;
CREATE INDEX callbacks_by_caller ON callbacks (caller) WHERE done_ms IS NULL;

-- Who calls. The only table where a number stands beside its reference; `language` is projected.
CREATE TABLE callers (
    caller   INTEGER PRIMARY KEY NOT NULL,
    number   TEXT,
    name     TEXT,
    language TEXT,
    first_ms INTEGER NOT NULL,
    last_ms  INTEGER NOT NULL
) STRICT;
