-- Incidents and works: the fold of their events, written in the transaction that appends them to the chain (subject `incident:n`).
CREATE TABLE incidents (
    n          INTEGER PRIMARY KEY NOT NULL,
    sort       TEXT NOT NULL,
    state      TEXT NOT NULL,
    topic      TEXT NOT NULL,
    owner      TEXT,
    begins_ms  INTEGER NOT NULL,
    ends_ms    INTEGER,
    changed_ms INTEGER NOT NULL,
    cases      INTEGER NOT NULL,
    last_place INTEGER NOT NULL,
    body       TEXT NOT NULL
) STRICT;
CREATE INDEX incidents_by_state ON incidents (state, n);

-- Which case belongs to which; `linked` once the case's own history says so, which is after the incident was confirmed.
CREATE TABLE incident_cases (
    incident INTEGER NOT NULL REFERENCES incidents (n),
    number   TEXT NOT NULL,
    linked   INTEGER NOT NULL CHECK (linked IN (0, 1)),
    PRIMARY KEY (incident, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_cases_by_number ON incident_cases (number);
CREATE INDEX incident_cases_to_link ON incident_cases (incident) WHERE NOT linked;

-- Projection: who pressed "1" to be told when an incident is over. It has no foreign key, because it may lag.
CREATE TABLE subscriptions (
    incident INTEGER NOT NULL,
    caller   INTEGER NOT NULL,
    language TEXT NOT NULL,
    call_id  INTEGER NOT NULL,
    at_ms    INTEGER NOT NULL,
    PRIMARY KEY (incident, caller)
) STRICT, WITHOUT ROWID;

-- What people and organisations are to be told, each once: (subject, receiver, kind) is never written twice and rows stay.
-- `by_phone`: an operator calls; everything else is posted, mailed or written into a file. `next_ms` is when it is tried (again).
CREATE TABLE outbox (
    id         INTEGER PRIMARY KEY NOT NULL,
    subject    TEXT NOT NULL,
    receiver   TEXT NOT NULL,
    kind       TEXT NOT NULL,
    by_phone   INTEGER NOT NULL CHECK (by_phone IN (0, 1)),
    caller     INTEGER,
    language   TEXT,
    body       TEXT NOT NULL,
    tries      INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    next_ms    INTEGER,
    done_ms    INTEGER,
    done_by    TEXT,
    error      TEXT,
    UNIQUE (subject, receiver, kind)
) STRICT;
CREATE INDEX outbox_due ON outbox (next_ms) WHERE next_ms IS NOT NULL;
CREATE INDEX outbox_calls ON outbox (created_ms) WHERE by_phone AND done_ms IS NULL;
