"""A message as Kafka delivered it."""

from typing import Protocol

from streams.shell.transport import Positioned


class Delivery(Positioned, Protocol):
    """Key and value as they came; nothing is decoded yet."""

    @property
    def topic(self) -> str: ...  # noqa: D102 # see the class

    @property
    def partition(self) -> int: ...  # noqa: D102 # see the class

    @property
    def key(self) -> bytes | None: ...  # noqa: D102 # see the class

    @property
    def value(self) -> bytes | None: ...  # noqa: D102 # see the class
