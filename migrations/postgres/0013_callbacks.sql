-- Projection: callers who were promised a callback and wait without a line, and what became of it.
CREATE TABLE callback_wishes (
    call_id          BIGINT PRIMARY KEY NOT NULL,
    caller           BIGINT,
    queue            TEXT,
    language         TEXT,
    waiting_since_ms BIGINT,
    stood_ms         BIGINT,
    tries            BIGINT NOT NULL,
    dialled_ms       BIGINT,
    again_ms         BIGINT,
    ended_ms         BIGINT,
    how              TEXT
);
CREATE INDEX callback_wishes_standing ON callback_wishes (waiting_since_ms) WHERE ended_ms IS NULL;
