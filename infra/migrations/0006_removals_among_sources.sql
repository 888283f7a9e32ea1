-- What is gone for good stands among the sources, as if it were active for a model of the name `-`, which no model has: a
-- search then looks into one table. (Made first, so that this can be applied again after it was killed half-way.)
CREATE TABLE IF NOT EXISTS removals
(
    event_id         UInt64,
    source_video_key String,
    generation       UInt32
)
ENGINE = ReplacingMergeTree(generation)
ORDER BY (event_id, source_video_key);
INSERT INTO sources (event_id, source_video_key, model, generation, object_key, duration_ms)
    SELECT event_id, source_video_key, '-', generation, '', 0 FROM removals;
DROP TABLE removals;
