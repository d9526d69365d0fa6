-- The index of words also knows in which thousand of ids a case lies ("§12", which nobody can type): common words are looked for among the newest first.
DROP INDEX case_search_by_word;
ALTER TABLE case_search DROP COLUMN lexemes;
ALTER TABLE case_search ADD COLUMN lexemes TSVECTOR NOT NULL
    GENERATED ALWAYS AS (CAST(words || ' §' || CAST(id / 1000 AS TEXT) AS TSVECTOR)) STORED;
CREATE INDEX case_search_by_word ON case_search USING gin (lexemes) WITH (fastupdate = off);

-- A case that was taken out of an incident by hand; the row stays, so that it does not join again.
ALTER TABLE incident_cases ADD COLUMN parted BOOLEAN NOT NULL DEFAULT FALSE;
DROP INDEX incident_cases_to_link;
CREATE INDEX incident_cases_to_link ON incident_cases (incident) WHERE NOT linked AND NOT parted;

-- Files that were taken in. The rows of a file and `ended_ms` are one transaction; what another process has not ended is not written. `report` is JSON.
CREATE TABLE imports (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    process  BIGINT NOT NULL,
    by_name  TEXT COLLATE "C" NOT NULL,
    report   TEXT NOT NULL,
    begun_ms BIGINT NOT NULL,
    ended_ms BIGINT,
    written  BIGINT NOT NULL,
    why      TEXT
);

-- Photos and documents of cases and incidents; the files lie in `evidence/` of the data folder under their SHA-256, which the history names.
-- With `gone` the file is to be removed, and the row after it.
CREATE TABLE attachments (
    subject TEXT COLLATE "C" NOT NULL,
    hash    TEXT COLLATE "C" NOT NULL,
    media   TEXT COLLATE "C" NOT NULL,
    bytes   BIGINT NOT NULL,
    by_name TEXT COLLATE "C" NOT NULL,
    at_ms   BIGINT NOT NULL,
    gone    BOOLEAN NOT NULL,
    PRIMARY KEY (subject, hash)
);
CREATE INDEX attachments_by_hash ON attachments (hash);
CREATE INDEX attachments_gone ON attachments (subject) WHERE gone;

-- An organisation's newest cases, without looking at all that it ever had.
CREATE INDEX cases_by_organisation_newest ON cases (organisation, id);
-- Cases of a span in the order in which they are counted, part by part.
DROP INDEX cases_by_registration;
CREATE INDEX cases_by_registration ON cases (registered_ms, id);
