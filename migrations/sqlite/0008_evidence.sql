-- A case that was taken out of an incident by hand; the row stays, so that it does not join again.
ALTER TABLE incident_cases ADD COLUMN parted INTEGER NOT NULL DEFAULT 0 CHECK (parted IN (0, 1));
DROP INDEX incident_cases_to_link;
CREATE INDEX incident_cases_to_link ON incident_cases (incident) WHERE NOT linked AND NOT parted;

-- Files that were taken in. The rows of a file and `ended_ms` are one transaction; what another process has not ended is not written. `report` is JSON.
CREATE TABLE imports (
    id       INTEGER PRIMARY KEY NOT NULL,
    process  INTEGER NOT NULL,
    by_name  TEXT NOT NULL,
    report   TEXT NOT NULL,
    begun_ms INTEGER NOT NULL,
    ended_ms INTEGER,
    written  INTEGER NOT NULL,
    why      TEXT
) STRICT;

-- Photos and documents of cases and incidents; the files lie in `evidence/` of the data folder under their SHA-256, which the history names.
-- With `gone` the file is to be removed, and the row after it.
CREATE TABLE attachments (
    subject TEXT NOT NULL,
    hash    TEXT NOT NULL,
    media   TEXT NOT NULL,
    bytes   INTEGER NOT NULL,
    by_name TEXT NOT NULL,
    at_ms   INTEGER NOT NULL,
    gone    INTEGER NOT NULL CHECK (gone IN (0, 1)),
    PRIMARY KEY (subject, hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX attachments_by_hash ON attachments (hash);
CREATE INDEX attachments_gone ON attachments (subject) WHERE gone;

-- An organisation's newest cases, without looking at all that it ever had.
CREATE INDEX cases_by_organisation_newest ON cases (organisation, id);
-- Cases of a span in the order in which they are counted, part by part.
DROP INDEX cases_by_registration;
CREATE INDEX cases_by_registration ON cases (registered_ms, id);
