-- Until when a number is marked for abuse, and who marked it.
ALTER TABLE callers ADD COLUMN abuse_until_ms INTEGER;
ALTER TABLE callers ADD COLUMN abuse_by TEXT;
