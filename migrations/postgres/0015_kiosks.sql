-- Screens at the wall that show the wallboard without an account; of what each proves itself by, the hash alone.
CREATE TABLE kiosks (
    id      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name    TEXT NOT NULL,
    hash    TEXT NOT NULL UNIQUE,
    by_name TEXT NOT NULL,
    made_ms BIGINT NOT NULL,
    seen_ms BIGINT
);
