-- What supervisors ordered about shifts, with author and reason: projected from the journal.
CREATE TABLE shift_orders (
    position BIGINT NOT NULL,
    place    BIGINT NOT NULL,
    agent    TEXT NOT NULL,
    wanted   TEXT NOT NULL,
    shift    TEXT,
    until_ms BIGINT NOT NULL,
    by_name  TEXT NOT NULL,
    reason   TEXT NOT NULL,
    at_ms    BIGINT NOT NULL,
    PRIMARY KEY (position, place)
);

-- Since when who is on which shifts, names apart by commas, or off. Nothing is told of who is on as without a table.
CREATE TABLE shift_changes (
    position BIGINT NOT NULL,
    place    BIGINT NOT NULL,
    agent    TEXT NOT NULL,
    is_on    BIGINT NOT NULL,
    shifts   TEXT NOT NULL,
    at_ms    BIGINT NOT NULL,
    PRIMARY KEY (position, place)
);
CREATE INDEX shift_changes_by_agent ON shift_changes (agent, at_ms);
