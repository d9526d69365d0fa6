-- Forms that operators have begun, each under a name of its own; gone with its case, with its contact, or after a week. `content` is the page's own JSON.
CREATE TABLE drafts (
    by_name TEXT NOT NULL,
    draft   TEXT NOT NULL,
    call_id INTEGER,
    content TEXT NOT NULL,
    at_ms   INTEGER NOT NULL,
    PRIMARY KEY (by_name, draft)
) STRICT, WITHOUT ROWID;
CREATE INDEX drafts_by_time ON drafts (at_ms);

-- What an operator should know of a number before saying hello, and who wrote it. Short, and shown with every call of it.
CREATE TABLE notes (
    id       INTEGER PRIMARY KEY NOT NULL,
    caller   INTEGER NOT NULL,
    resident INTEGER,
    by_name  TEXT NOT NULL,
    at_ms    INTEGER NOT NULL,
    text     TEXT NOT NULL
) STRICT;
CREATE INDEX notes_by_caller ON notes (caller, id);

-- An operator's last calls, without looking at all calls.
CREATE INDEX calls_by_agent ON calls (agent, id) WHERE agent IS NOT NULL;
