"""How a unit of work ends when it does not end well. A stage that returns is done; anything else is one of these.

An exception that is none of them counts as `TryLater`: a few tries, then as `Invalid`.
"""


class Invalid(Exception):
    """This message can never be done; its text is a sentence for the person who asked. A dead letter follows."""


class TryLater(Exception):
    """It failed this once and may work on another try: bounded tries with backoff, then as `Invalid`."""


class Unavailable(Exception):
    """A dependency is down. An outage is not poison: it uses up no tries, the work waits.

    Attributes:
        dependency: `kafka`, `clickhouse` or `s3`; `models` for a worker that has those of before a change.
    """

    def __init__(self, dependency: str, sentence: str) -> None:
        super().__init__(sentence)
        self.dependency = dependency
