-- A byte for each of the first 80 components in place of two for 72: see docs/matching.md. ClickHouse computes it, so
-- that it cannot differ from its vector; of rows from before as they are read, until the background has written theirs.
ALTER TABLE face_vectors
    ADD COLUMN IF NOT EXISTS sketch Array(Int8)
        MATERIALIZED arrayMap(x -> toInt8(round(greatest(-127, least(127, x * 180)))), arraySlice(vector, 1, 80))
        CODEC(NONE) SETTINGS (min_compress_block_size = 65536, max_compress_block_size = 1048576)
        AFTER quality;
ALTER TABLE face_vectors MATERIALIZE COLUMN sketch;
ALTER TABLE face_vectors DROP COLUMN IF EXISTS prefix;
