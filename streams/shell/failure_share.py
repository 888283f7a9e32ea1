"""Which share of the last messages failed."""

from collections import deque


class FailureShare:
    """Counts how the last `window` messages of a process ended."""

    def __init__(self, *, window: int, limit: float) -> None:
        self._ended: deque[int] = deque(maxlen=window)
        self._window = window
        self._limit = limit

    def done(self) -> None:
        """One more ended well."""
        self._ended.append(0)

    def failed(self) -> None:
        """One more failed."""
        self._ended.append(1)

    def over_limit(self) -> bool:
        """Whether a larger share than the limit failed. Never before the window is full: one failure is no share."""
        return len(self._ended) == self._window and sum(self._ended) > self._limit * self._window
