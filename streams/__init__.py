"""The engine: from a command on a topic to a clip in the store. `pipeline.py` is its one page."""
