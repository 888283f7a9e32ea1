"""The wire: every message and record that crosses a process, the topics they travel on, and their codec.

Nothing here imports another part of the project. A schema changes by adding optional fields; anything else is a new
version of the topic. `examples/` holds one stored JSON per type, `examples/older/` those of before a field was added;
all decode for ever.
"""
