-- A generation is active for one version of the models: of each source and model, the highest ever activated. Rows from
-- before have an empty model, which no search asks for: their sources wait for a new indexing.
ALTER TABLE sources
    ADD COLUMN IF NOT EXISTS model String AFTER source_video_key,
    MODIFY ORDER BY (event_id, source_video_key, model);
-- What is gone for good: of each source every generation up to this one. An empty key stands for all of an event's.
CREATE TABLE IF NOT EXISTS removals
(
    event_id         UInt64,
    source_video_key String,
    generation       UInt32
)
ENGINE = ReplacingMergeTree(generation)
ORDER BY (event_id, source_video_key);
