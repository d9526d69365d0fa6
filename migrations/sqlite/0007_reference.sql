-- What cases are found by: the folded words of each (`cases/words.rs`), parted by blanks, and the same as an index. A row goes with an erasure.
CREATE TABLE case_search (
    id    INTEGER PRIMARY KEY NOT NULL,
    words TEXT NOT NULL
) STRICT;
-- Neither places nor lengths are kept: a word stands in a case or it does not. The tokenizer has nothing left to fold.
CREATE VIRTUAL TABLE case_search_fts USING fts5(
    words, content='case_search', content_rowid='id', detail=none, columnsize=0, prefix='3', tokenize="unicode61 remove_diacritics 0"
);
-- What is erased by law leaves the index's pages at once, not when they are merged.
INSERT INTO case_search_fts (case_search_fts, rank) VALUES ('secure-delete', 1);
CREATE TRIGGER case_search_is_indexed AFTER INSERT ON case_search
BEGIN INSERT INTO case_search_fts (rowid, words) VALUES (NEW.id, NEW.words); END;
CREATE TRIGGER case_search_is_forgotten AFTER DELETE ON case_search
BEGIN INSERT INTO case_search_fts (case_search_fts, rowid, words) VALUES ('delete', OLD.id, OLD.words); END;

-- Every word that stands in a case, and the groups of three characters by which a mistyped one is found.
CREATE TABLE search_words (
    word TEXT PRIMARY KEY NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE search_trigrams (
    trigram TEXT NOT NULL,
    word    TEXT NOT NULL,
    PRIMARY KEY (trigram, word)
) STRICT, WITHOUT ROWID;

-- What consultations are answered from. `texts` is a JSON object by language: {"ru": {"title": …, "body": …}}; `words` what it is found by.
CREATE TABLE articles (
    id         INTEGER PRIMARY KEY NOT NULL,
    topic      TEXT NOT NULL,
    owner      TEXT NOT NULL,
    review_ms  INTEGER NOT NULL,
    texts      TEXT NOT NULL,
    words      TEXT NOT NULL,
    active     INTEGER NOT NULL CHECK (active IN (0, 1)),
    by_name    TEXT NOT NULL,
    changed_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX contacts_by_article ON contacts (article) WHERE article IS NOT NULL;
CREATE INDEX contacts_by_number ON contacts (number) WHERE number IS NOT NULL;

-- What each account wants to see again: the filter of a list, as JSON.
CREATE TABLE saved_views (
    who    TEXT NOT NULL,
    name   TEXT NOT NULL,
    filter TEXT NOT NULL,
    at_ms  INTEGER NOT NULL,
    PRIMARY KEY (who, name)
) STRICT, WITHOUT ROWID;

-- The case's id beside whose it is, so that the newest of somebody who has reported thousands are found without looking at the others.
ALTER TABLE case_people ADD COLUMN case_id INTEGER;
UPDATE case_people SET case_id = (SELECT id FROM cases WHERE cases.number = case_people.number);
DROP INDEX case_people_by_caller;
CREATE INDEX case_people_by_caller ON case_people (caller, case_id) WHERE caller IS NOT NULL;
