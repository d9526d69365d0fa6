-- Projection: how often the far end of a leg did not hear us.
ALTER TABLE legs ADD COLUMN unheard INTEGER NOT NULL DEFAULT 0;

-- Projection: how good the sound of a leg was. Loss in 1/10,000, the mean run of losses and marks (MOS, ITU-T G.107) in 1/100, jitter in
-- microseconds; `far_` is what the far end reported of our packets, NULL where it did not.
CREATE TABLE leg_quality (
    call_id       INTEGER NOT NULL,
    n             INTEGER NOT NULL,
    expected      INTEGER NOT NULL,
    received      INTEGER NOT NULL,
    loss_10k      INTEGER NOT NULL,
    burst_100th   INTEGER NOT NULL,
    jitter_us     INTEGER NOT NULL,
    rtt_ms        INTEGER,
    mos_100th     INTEGER NOT NULL,
    far_loss_10k  INTEGER,
    far_jitter_us INTEGER,
    far_mos_100th INTEGER,
    secured       INTEGER NOT NULL,
    PRIMARY KEY (call_id, n)
) STRICT, WITHOUT ROWID;
