-- Projection: how far the facts of the journal have been written here. One row a projection.
CREATE TABLE projections (
    name     TEXT COLLATE "C" PRIMARY KEY,
    position BIGINT NOT NULL
);

-- Projection: one row a call, filled in as its facts come.
CREATE TABLE calls (
    id           BIGINT PRIMARY KEY,
    number       TEXT,
    trunk        TEXT,
    caller       BIGINT,
    language     TEXT,
    topic        TEXT,
    queue        TEXT,
    agent        TEXT,
    started_ms   BIGINT,
    answered_ms  BIGINT,
    connected_ms BIGINT,
    waited_ms    BIGINT,
    ended_ms     BIGINT,
    end_reason   TEXT
);
CREATE INDEX calls_by_caller ON calls (caller, id) WHERE caller IS NOT NULL;

-- Projection: one row a leg; number 0 is the resident's.
CREATE TABLE legs (
    call_id      BIGINT NOT NULL,
    n            BIGINT NOT NULL,
    party        TEXT,
    name         TEXT,
    started_ms   BIGINT,
    answered_ms  BIGINT,
    ended_ms     BIGINT,
    end_reason   TEXT,
    sound_lost   BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (call_id, n)
);

-- Projection: one row for each time a caller stood in a queue; (position, place) is the identity of the fact that opened it.
CREATE TABLE queue_events (
    call_id     BIGINT NOT NULL,
    position    BIGINT NOT NULL,
    place       BIGINT NOT NULL,
    queue       TEXT NOT NULL,
    language    TEXT NOT NULL,
    skills      TEXT NOT NULL,
    entered_ms  BIGINT NOT NULL,
    left_ms     BIGINT,
    how         TEXT,
    waited_ms   BIGINT,
    PRIMARY KEY (call_id, position, place)
);

-- Projection: one row an offer; `why` is the explanation of the routing as JSON.
CREATE TABLE offers (
    call_id     BIGINT NOT NULL,
    position    BIGINT NOT NULL,
    place       BIGINT NOT NULL,
    queue       TEXT NOT NULL,
    agent       TEXT NOT NULL,
    why         TEXT NOT NULL,
    offered_ms  BIGINT NOT NULL,
    shown_ms    BIGINT,
    ended_ms    BIGINT,
    how         TEXT,
    PRIMARY KEY (call_id, position, place)
);

-- Projection: what an operator did from when until when; the open interval has no end.
CREATE TABLE agent_states (
    agent    TEXT COLLATE "C" NOT NULL,
    position BIGINT NOT NULL,
    place    BIGINT NOT NULL,
    state    TEXT NOT NULL,
    reason   TEXT,
    call_id  BIGINT,
    from_ms  BIGINT NOT NULL,
    until_ms BIGINT,
    PRIMARY KEY (agent, position, place)
);
CREATE UNIQUE INDEX agent_states_open ON agent_states (agent) WHERE until_ms IS NULL;

-- Projection: steps of the dialplan that the caller entered, and keys pressed there.
CREATE TABLE steps (
    call_id  BIGINT NOT NULL,
    position BIGINT NOT NULL,
    place    BIGINT NOT NULL,
    step     TEXT NOT NULL,
    key      TEXT,
    at_ms    BIGINT NOT NULL,
    PRIMARY KEY (call_id, position, place)
);

-- Projection: recordings by their path below the recordings' folder.
CREATE TABLE recordings (
    call_id    BIGINT NOT NULL,
    n          BIGINT NOT NULL,
    path       TEXT NOT NULL,
    agent      TEXT,
    started_ms BIGINT,
    length_ms  BIGINT,
    lost_ms    BIGINT,
    PRIMARY KEY (call_id, n)
);

-- Projection, but for `done_ms` and `done_by`: callers who must be called back.
CREATE TABLE callbacks (
    call_id          BIGINT PRIMARY KEY,
    caller           BIGINT,
    queue            TEXT NOT NULL,
    language         TEXT NOT NULL,
    waiting_since_ms BIGINT NOT NULL,
    owed_ms          BIGINT NOT NULL,
    done_ms          BIGINT,
    done_by          TEXT
);
CREATE INDEX callbacks_owed ON callbacks (waiting_since_ms) WHERE done_ms IS NULL;
CREATE INDEX callbacks_by_caller ON callbacks (caller) WHERE done_ms IS NULL;

-- Who calls. The only table where a number stands beside its reference; `language` is projected.
CREATE TABLE callers (
    caller   BIGINT PRIMARY KEY,
    number   TEXT,
    name     TEXT,
    language TEXT,
    first_ms BIGINT NOT NULL,
    last_ms  BIGINT NOT NULL
);
