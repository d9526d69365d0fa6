-- Incidents and works: the fold of their events, written in the transaction that appends them to the chain (subject `incident:n`).
CREATE TABLE incidents (
    n          BIGINT PRIMARY KEY,
    sort       TEXT COLLATE "C" NOT NULL,
    state      TEXT COLLATE "C" NOT NULL,
    topic      TEXT COLLATE "C" NOT NULL,
    owner      TEXT COLLATE "C",
    begins_ms  BIGINT NOT NULL,
    ends_ms    BIGINT,
    changed_ms BIGINT NOT NULL,
    cases      BIGINT NOT NULL,
    last_place BIGINT NOT NULL,
    body       TEXT NOT NULL
);
CREATE INDEX incidents_by_state ON incidents (state, n);

-- Which case belongs to which; `linked` once the case's own history says so, which is after the incident was confirmed.
CREATE TABLE incident_cases (
    incident BIGINT NOT NULL REFERENCES incidents (n),
    number   TEXT COLLATE "C" NOT NULL,
    linked   BOOLEAN NOT NULL,
    PRIMARY KEY (incident, number)
);
CREATE INDEX incident_cases_by_number ON incident_cases (number);
CREATE INDEX incident_cases_to_link ON incident_cases (incident) WHERE NOT linked;

-- Projection: who pressed "1" to be told when an incident is over. It has no foreign key, because it may lag.
CREATE TABLE subscriptions (
    incident BIGINT NOT NULL,
    caller   BIGINT NOT NULL,
    language TEXT COLLATE "C" NOT NULL,
    call_id  BIGINT NOT NULL,
    at_ms    BIGINT NOT NULL,
    PRIMARY KEY (incident, caller)
);

-- What people and organisations are to be told, each once: (subject, receiver, kind) is never written twice and rows stay.
-- `by_phone`: an operator calls; everything else is posted, mailed or written into a file. `next_ms` is when it is tried (again).
CREATE TABLE outbox (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject    TEXT COLLATE "C" NOT NULL,
    receiver   TEXT COLLATE "C" NOT NULL,
    kind       TEXT COLLATE "C" NOT NULL,
    by_phone   BOOLEAN NOT NULL,
    caller     BIGINT,
    language   TEXT COLLATE "C",
    body       TEXT NOT NULL,
    tries      BIGINT NOT NULL,
    created_ms BIGINT NOT NULL,
    next_ms    BIGINT,
    done_ms    BIGINT,
    done_by    TEXT COLLATE "C",
    error      TEXT,
    UNIQUE (subject, receiver, kind)
);
CREATE INDEX outbox_due ON outbox (next_ms) WHERE next_ms IS NOT NULL;
CREATE INDEX outbox_calls ON outbox (created_ms) WHERE by_phone AND done_ms IS NULL;
