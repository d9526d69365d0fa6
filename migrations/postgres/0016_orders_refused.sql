-- Why an ordered state could not be; NULL where the order holds or held. Projection.
ALTER TABLE orders ADD COLUMN refused TEXT;
