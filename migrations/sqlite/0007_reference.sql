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
