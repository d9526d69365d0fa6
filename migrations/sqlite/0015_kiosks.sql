-- Screens at the wall that show the wallboard without an account; of what each proves itself by, the hash alone.
CREATE TABLE kiosks (
    id      INTEGER PRIMARY KEY NOT NULL,
    name    TEXT NOT NULL,
    hash    TEXT NOT NULL UNIQUE,
    by_name TEXT NOT NULL,
    made_ms INTEGER NOT NULL,
    seen_ms INTEGER
) STRICT;
