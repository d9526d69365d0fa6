-- The first table of cases was in no release; the register takes its place.
DROP TABLE cases;
DROP TABLE case_counters;

-- What the city has decided about cases: topics, districts, working hours, terms, pauses, escalation. A change is a new revision.
CREATE TABLE register_rules (
    revision BIGINT PRIMARY KEY,
    at_ms    BIGINT NOT NULL,
    by_name  TEXT COLLATE "C" NOT NULL,
    body     TEXT NOT NULL
);

-- Who executes. `secret` is the key by which a webhook's requests are signed and an organisation's own are known (its SHA-256).
CREATE TABLE organisations (
    id         TEXT COLLATE "C" PRIMARY KEY,
    name       TEXT NOT NULL,
    calendar   TEXT NOT NULL,
    head       TEXT,
    email      TEXT,
    phone      TEXT,
    webhook    TEXT,
    secret     TEXT,
    active     BOOLEAN NOT NULL,
    changed_ms BIGINT NOT NULL
);

-- Which organisation gets cases of a topic and an area; NULL is any.
CREATE TABLE routes (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic        TEXT COLLATE "C",
    district     TEXT COLLATE "C",
    street       BIGINT,
    building     BIGINT,
    organisation TEXT COLLATE "C" NOT NULL
);

-- Streets with the names that people still use (a JSON array), and buildings with whoever answers for them.
CREATE TABLE streets (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name   TEXT NOT NULL UNIQUE,
    former TEXT NOT NULL,
    folded TEXT COLLATE "C" NOT NULL
);
CREATE TABLE buildings (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    street          BIGINT NOT NULL REFERENCES streets (id),
    house           TEXT COLLATE "C" NOT NULL,
    district        TEXT COLLATE "C",
    lat             DOUBLE PRECISION,
    lon             DOUBLE PRECISION,
    chairman        TEXT,
    chairman_number TEXT,
    UNIQUE (street, house)
);

-- Residents that a case was written for. `protected` names the group ("veteran"); without consent no message is sent.
CREATE TABLE residents (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       TEXT,
    language   TEXT,
    protected  TEXT,
    consent_ms BIGINT,
    changed_ms BIGINT NOT NULL
);
CREATE TABLE resident_numbers (
    caller   BIGINT NOT NULL,
    resident BIGINT NOT NULL REFERENCES residents (id),
    PRIMARY KEY (caller, resident)
);
CREATE INDEX resident_numbers_by_resident ON resident_numbers (resident);

-- The history: only ever appended, each event with the hash of the one before (see `cases/chain.rs`).
CREATE TABLE chain (
    place   BIGINT PRIMARY KEY CHECK (place > 0),
    subject TEXT COLLATE "C" NOT NULL,
    at_ms   BIGINT NOT NULL,
    event   TEXT NOT NULL,
    words   BYTEA CHECK (words IS NULL OR length(words) = 32),
    hash    BYTEA NOT NULL CHECK (length(hash) = 32)
);
CREATE INDEX chain_by_subject ON chain (subject, place);

-- What people said, beside the events. Rows go when they are erased by law, and an event says so; nothing changes one.
CREATE TABLE chain_words (
    place BIGINT PRIMARY KEY,
    salt  BYTEA NOT NULL CHECK (length(salt) = 32),
    words TEXT NOT NULL
);

CREATE FUNCTION history_is_kept() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the history cannot be altered: append a correction'; END $$;

CREATE FUNCTION chain_is_appended() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
    IF NEW.place <> (SELECT COALESCE(MAX(place), 0) + 1 FROM chain) THEN
        RAISE EXCEPTION 'the history is only appended to';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION words_are_appended() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
    IF NEW.place IS DISTINCT FROM (SELECT MAX(place) FROM chain) THEN
        RAISE EXCEPTION 'words stand beside the event that was just appended';
    END IF;
    RETURN NEW;
END $$;

-- Words go after the event that says so, in the same transaction; it names their place.
CREATE FUNCTION words_go_by_erasure() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM chain AS erasure, chain AS erased
        WHERE erased.place = OLD.place AND erasure.subject = erased.subject AND erasure.event LIKE '%"what":"erased"%'
        AND erasure.event::jsonb #>> '{what,what}' = 'erased' AND erasure.event::jsonb #> '{what,events}' @> to_jsonb(OLD.place)
    ) THEN
        RAISE EXCEPTION 'words go by an erasure only: append the event that names them first';
    END IF;
    RETURN OLD;
END $$;

CREATE TRIGGER chain_is_not_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON chain EXECUTE FUNCTION history_is_kept();
CREATE TRIGGER chain_is_only_appended BEFORE INSERT ON chain FOR EACH ROW EXECUTE FUNCTION chain_is_appended();
CREATE TRIGGER words_are_not_changed BEFORE UPDATE OR TRUNCATE ON chain_words EXECUTE FUNCTION history_is_kept();
CREATE TRIGGER words_are_only_appended BEFORE INSERT ON chain_words FOR EACH ROW EXECUTE FUNCTION words_are_appended();
CREATE TRIGGER words_go_by_erasure_only BEFORE DELETE ON chain_words FOR EACH ROW EXECUTE FUNCTION words_go_by_erasure();

-- Heads of the chain that were written elsewhere as well.
CREATE TABLE seals (
    place BIGINT PRIMARY KEY,
    head  TEXT NOT NULL,
    at_ms BIGINT NOT NULL
);
CREATE TRIGGER seals_are_not_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON seals EXECUTE FUNCTION history_is_kept();

-- The last number given within a service and a year: cases are numbered without gaps.
CREATE TABLE case_counters (
    service TEXT COLLATE "C" NOT NULL,
    year    BIGINT NOT NULL,
    last    BIGINT NOT NULL,
    PRIMARY KEY (service, year)
);

-- Where each case stands: the fold of its events, written in the transaction that appends them. `body` is the whole fold, the columns are
-- what is asked for. `draft` is the form's own name, so that a repeated request makes one case. What is personal lies in `case_people`.
CREATE TABLE cases (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number             TEXT COLLATE "C" NOT NULL UNIQUE,
    by_name            TEXT COLLATE "C" NOT NULL,
    draft              TEXT COLLATE "C" NOT NULL,
    kind               TEXT COLLATE "C" NOT NULL,
    channel            TEXT COLLATE "C" NOT NULL,
    topic              TEXT COLLATE "C" NOT NULL,
    priority           TEXT COLLATE "C" NOT NULL,
    district           TEXT COLLATE "C",
    organisation       TEXT COLLATE "C",
    state              TEXT COLLATE "C" NOT NULL,
    is_open            BOOLEAN NOT NULL,
    restricted         TEXT COLLATE "C",
    call_id            BIGINT,
    registered_ms      BIGINT NOT NULL,
    reaction_due_ms    BIGINT NOT NULL,
    reaction_kept_ms   BIGINT,
    resolution_due_ms  BIGINT NOT NULL,
    resolution_kept_ms BIGINT,
    -- The next moment at which the clock has something to do with it: a step of escalation, or a control call.
    next_ms            BIGINT,
    reopened           BIGINT NOT NULL,
    last_place         BIGINT NOT NULL,
    body               TEXT NOT NULL,
    UNIQUE (by_name, draft)
);
CREATE INDEX cases_by_organisation ON cases (organisation, is_open, resolution_due_ms);
CREATE INDEX cases_by_due ON cases (is_open, resolution_due_ms);
CREATE INDEX cases_by_reaction ON cases (reaction_due_ms) WHERE reaction_kept_ms IS NULL AND is_open;
CREATE INDEX cases_by_next ON cases (next_ms) WHERE next_ms IS NOT NULL;
CREATE INDEX cases_by_topic ON cases (topic, registered_ms);
CREATE INDEX cases_by_district ON cases (district, registered_ms);
CREATE INDEX cases_by_state ON cases (state, id);
CREATE INDEX cases_by_call ON cases (call_id) WHERE call_id IS NOT NULL;
CREATE INDEX cases_by_registration ON cases (registered_ms);

-- Whose case it is and where: what an erasure by law takes away. `caller` is the reference of the number.
CREATE TABLE case_people (
    number   TEXT COLLATE "C" PRIMARY KEY,
    caller   BIGINT,
    resident BIGINT,
    street   BIGINT,
    building BIGINT,
    flat     TEXT,
    lat      DOUBLE PRECISION,
    lon      DOUBLE PRECISION
);
CREATE INDEX case_people_by_caller ON case_people (caller) WHERE caller IS NOT NULL;
CREATE INDEX case_people_by_resident ON case_people (resident) WHERE resident IS NOT NULL;
CREATE INDEX case_people_by_building ON case_people (building) WHERE building IS NOT NULL;

-- Every time that somebody turned to the city, whether or not a case came of it.
CREATE TABLE contacts (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at_ms       BIGINT NOT NULL,
    by_name     TEXT COLLATE "C" NOT NULL,
    draft       TEXT COLLATE "C" NOT NULL,
    channel     TEXT COLLATE "C" NOT NULL,
    caller      BIGINT,
    call_id     BIGINT,
    topic       TEXT COLLATE "C",
    district    TEXT COLLATE "C",
    disposition TEXT COLLATE "C" NOT NULL,
    article     BIGINT,
    number      TEXT COLLATE "C",
    UNIQUE (by_name, draft)
);
CREATE INDEX contacts_by_time ON contacts (at_ms);
CREATE INDEX contacts_by_caller ON contacts (caller, at_ms) WHERE caller IS NOT NULL;
CREATE INDEX contacts_by_call ON contacts (call_id) WHERE call_id IS NOT NULL;

-- Accounts may belong to an organisation, or to a group that sees restricted topics.
ALTER TABLE users DROP CONSTRAINT users_role_check;
ALTER TABLE users ADD CONSTRAINT users_role_check CHECK (role IN ('operator', 'quality', 'supervisor', 'administrator', 'organisation', 'city'));
ALTER TABLE users ADD COLUMN organisation TEXT;
ALTER TABLE users ADD COLUMN sees TEXT NOT NULL DEFAULT '[]';
ALTER TABLE users ADD CONSTRAINT users_organisation_check CHECK ((role = 'organisation') = (organisation IS NOT NULL));
