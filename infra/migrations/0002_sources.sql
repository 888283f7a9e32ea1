-- The generation of each source that searches see: the highest ever activated.
CREATE TABLE IF NOT EXISTS sources
(
    event_id         UInt64,
    source_video_key String,
    generation       UInt32,
    object_key       String,
    duration_ms      UInt32
)
ENGINE = ReplacingMergeTree(generation)
ORDER BY (event_id, source_video_key);
