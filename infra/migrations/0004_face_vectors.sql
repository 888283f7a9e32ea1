-- Vectors of faces in the layout that makes an exact search cheapest: see docs/matching.md. Up to a few rows for each track
-- of a chunk; a repeat of a chunk may store its rows twice. Ordered so that a search reads one event's active generations.
CREATE TABLE IF NOT EXISTS face_vectors
(
    event_id         UInt64,
    scope            UInt64, -- of event, source and generation: one column to search by, and to read, in place of three
    source_video_key LowCardinality(String),
    generation       UInt32,
    chunk            UInt32,
    track            UInt32,
    track_start_ms   UInt32,
    track_end_ms     UInt32,
    sample_times_ms  Array(UInt32),
    time_ms          UInt32,
    quality          Float32,
    -- What is left out by a distance over these is left out by the whole one, up to their rounding. Read of every row.
    prefix           Array(BFloat16) CODEC(NONE) SETTINGS (min_compress_block_size = 65536, max_compress_block_size = 1048576),
    -- Read only around rows that the prefix leaves. Floats of a network do not compress.
    vector           Array(Float32) CODEC(NONE) SETTINGS (min_compress_block_size = 8192, max_compress_block_size = 1048576)
)
ENGINE = MergeTree
ORDER BY (event_id, scope, chunk, track, time_ms)
-- Small granules and blocks: a search wants few rows, far apart, whole.
SETTINGS index_granularity = 64, min_compress_block_size = 4096, max_compress_block_size = 4096;
-- The vectors of before come from models that no search asks for any more: their axes are others.
DROP TABLE IF EXISTS faces;
