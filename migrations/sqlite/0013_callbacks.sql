-- Projection: callers who were promised a callback and wait without a line, and what became of it.
CREATE TABLE callback_wishes (
    call_id          INTEGER PRIMARY KEY NOT NULL,
    caller           INTEGER,
    queue            TEXT,
    language         TEXT,
    waiting_since_ms INTEGER,
    stood_ms         INTEGER,
    tries            INTEGER NOT NULL,
    dialled_ms       INTEGER,
    again_ms         INTEGER,
    ended_ms         INTEGER,
    how              TEXT
) STRICT;
CREATE INDEX callback_wishes_standing ON callback_wishes (waiting_since_ms) WHERE ended_ms IS NULL;
