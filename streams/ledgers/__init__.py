"""The ledgers: each a pure `decide(record, message) -> Decision`, and nothing else."""
