-- What supervisors ordered about shifts, with author and reason: projected from the journal.
CREATE TABLE shift_orders (
    position INTEGER NOT NULL,
    place    INTEGER NOT NULL,
    agent    TEXT NOT NULL,
    wanted   TEXT NOT NULL,
    shift    TEXT,
    until_ms INTEGER NOT NULL,
    by_name  TEXT NOT NULL,
    reason   TEXT NOT NULL,
    at_ms    INTEGER NOT NULL,
    PRIMARY KEY (position, place)
) STRICT, WITHOUT ROWID;

-- Since when who is on which shifts, names apart by commas, or off. Nothing is told of who is on as without a table.
CREATE TABLE shift_changes (
    position INTEGER NOT NULL,
    place    INTEGER NOT NULL,
    agent    TEXT NOT NULL,
    is_on    INTEGER NOT NULL,
    shifts   TEXT NOT NULL,
    at_ms    INTEGER NOT NULL,
    PRIMARY KEY (position, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX shift_changes_by_agent ON shift_changes (agent, at_ms);
