-- Forms that operators have begun, each under a name of its own; gone with its case, with its contact, or after a week. `content` is the page's own JSON.
CREATE TABLE drafts (
    by_name TEXT COLLATE "C" NOT NULL,
    draft   TEXT COLLATE "C" NOT NULL,
    call_id BIGINT,
    content TEXT NOT NULL,
    at_ms   BIGINT NOT NULL,
    PRIMARY KEY (by_name, draft)
);
CREATE INDEX drafts_by_time ON drafts (at_ms);

-- What an operator should know of a number before saying hello, and who wrote it. Short, and shown with every call of it.
CREATE TABLE notes (
    id       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    caller   BIGINT NOT NULL,
    resident BIGINT,
    by_name  TEXT NOT NULL,
    at_ms    BIGINT NOT NULL,
    text     TEXT NOT NULL
);
CREATE INDEX notes_by_caller ON notes (caller, id);

-- An operator's last calls, without looking at all calls.
CREATE INDEX calls_by_agent ON calls (agent, id) WHERE agent IS NOT NULL;
