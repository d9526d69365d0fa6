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
