-- Projection: how often the far end of a leg did not hear us.
ALTER TABLE legs ADD COLUMN unheard BIGINT NOT NULL DEFAULT 0;

-- Projection: how good the sound of a leg was. Loss in 1/10,000, the mean run of losses and marks (MOS, ITU-T G.107) in 1/100, jitter in
-- microseconds; `far_` is what the far end reported of our packets, NULL where it did not.
CREATE TABLE leg_quality (
    call_id       BIGINT NOT NULL,
    n             BIGINT NOT NULL,
    expected      BIGINT NOT NULL,
    received      BIGINT NOT NULL,
    loss_10k      BIGINT NOT NULL,
    burst_100th   BIGINT NOT NULL,
    jitter_us     BIGINT NOT NULL,
    rtt_ms        BIGINT,
    mos_100th     BIGINT NOT NULL,
    far_loss_10k  BIGINT,
    far_jitter_us BIGINT,
    far_mos_100th BIGINT,
    secured       BOOLEAN NOT NULL,
    PRIMARY KEY (call_id, n)
);
