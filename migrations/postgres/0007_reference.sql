-- What cases are found by: the folded words of each (`cases/words.rs`), parted by blanks, and the same as an index. A row goes with an erasure.
-- The words are the lexemes: PostgreSQL's own folding would depend on the database's language.
CREATE TABLE case_search (
    id      BIGINT PRIMARY KEY,
    words   TEXT NOT NULL,
    lexemes TSVECTOR NOT NULL GENERATED ALWAYS AS (CAST(words AS TSVECTOR)) STORED
);
CREATE INDEX case_search_by_word ON case_search USING gin (lexemes) WITH (fastupdate = off);

-- Every word that stands in a case, and the groups of three characters by which a mistyped one is found.
CREATE TABLE search_words (
    word TEXT COLLATE "C" PRIMARY KEY
);
CREATE TABLE search_trigrams (
    trigram TEXT COLLATE "C" NOT NULL,
    word    TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (trigram, word)
);

-- What consultations are answered from. `texts` is a JSON object by language: {"ru": {"title": …, "body": …}}; `words` what it is found by.
CREATE TABLE articles (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic      TEXT COLLATE "C" NOT NULL,
    owner      TEXT COLLATE "C" NOT NULL,
    review_ms  BIGINT NOT NULL,
    texts      TEXT NOT NULL,
    words      TEXT NOT NULL,
    active     BOOLEAN NOT NULL,
    by_name    TEXT COLLATE "C" NOT NULL,
    changed_ms BIGINT NOT NULL
);
CREATE INDEX contacts_by_article ON contacts (article) WHERE article IS NOT NULL;
CREATE INDEX contacts_by_number ON contacts (number) WHERE number IS NOT NULL;

-- What each account wants to see again: the filter of a list, as JSON.
CREATE TABLE saved_views (
    who    TEXT COLLATE "C" NOT NULL,
    name   TEXT COLLATE "C" NOT NULL,
    filter TEXT NOT NULL,
    at_ms  BIGINT NOT NULL,
    PRIMARY KEY (who, name)
);

-- The case's id beside whose it is, so that the newest of somebody who has reported thousands are found without looking at the others.
ALTER TABLE case_people ADD COLUMN case_id BIGINT;
UPDATE case_people SET case_id = (SELECT id FROM cases WHERE cases.number = case_people.number);
DROP INDEX case_people_by_caller;
CREATE INDEX case_people_by_caller ON case_people (caller, case_id) WHERE caller IS NOT NULL;
