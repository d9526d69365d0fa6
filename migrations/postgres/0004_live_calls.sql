-- Projection: what operators and supervisors did with a live call, one row a fact. `name` of a `number` is its reference, as in `callers`.
CREATE TABLE call_events (
    call_id  BIGINT NOT NULL,
    position BIGINT NOT NULL,
    place    BIGINT NOT NULL,
    what     TEXT NOT NULL,
    agent    TEXT,
    leg      BIGINT,
    party    TEXT,
    name     TEXT,
    at_ms    BIGINT NOT NULL,
    PRIMARY KEY (call_id, position, place)
);

-- The last part that whoever was called in had, and since when they were the one with whom the resident talks.
ALTER TABLE legs ADD COLUMN role TEXT;
ALTER TABLE legs ADD COLUMN partner_ms BIGINT;

-- The operator who called the resident; NULL for a call that came in.
ALTER TABLE calls ADD COLUMN called_out_by TEXT;
