-- Vectors of faces: up to a few rows for each track of a chunk. A repeat of a chunk may store its rows twice.
-- Ordered so that a search reads one event's rows and a sweeper finds one generation's.
CREATE TABLE IF NOT EXISTS faces
(
    event_id         UInt64,
    source_video_key LowCardinality(String),
    generation       UInt32,
    chunk            UInt32,
    track            UInt32,
    track_start_ms   UInt32,
    track_end_ms     UInt32,
    sample_times_ms  Array(UInt32),
    time_ms          UInt32,
    quality          Float32,
    vector           Array(Float32) CODEC(NONE) -- floats of a network do not compress; reading them is the scan's cost
)
ENGINE = MergeTree
ORDER BY (event_id, source_video_key, generation, chunk, track, time_ms);
