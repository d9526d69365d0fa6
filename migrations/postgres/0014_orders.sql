-- What supervisors ordered for now, with author and reason: projected from the journal. What is ordered is JSON.
CREATE TABLE orders (
    position BIGINT NOT NULL,
    place    BIGINT NOT NULL,
    kind     TEXT NOT NULL,
    target   TEXT NOT NULL,
    what     TEXT NOT NULL,
    until_ms BIGINT,
    by_name  TEXT NOT NULL,
    reason   TEXT NOT NULL,
    at_ms    BIGINT NOT NULL,
    PRIMARY KEY (position, place)
);
