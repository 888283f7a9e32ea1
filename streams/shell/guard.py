"""How a message ends: done, given up, or not now. The only `except Exception` of the project stands here.

| what the work does | tries | then |
|---|---|---|
| returns | | done |
| `Invalid`, undecodable bytes | the one | given up |
| `TryLater`, anything else | `tries`, with backoff | given up |
| `Unavailable` | none used | waits; after `outage_limit_s` the process ends, uncommitted |
| `HandedBack`, or the tenure ends before another try | | goes back to the log, uncommitted (`tenure`) |
| is cancelled | | the process ends, uncommitted |

Given up: the failure fact first, then the dead letter, both acknowledged. If either cannot be written, or if too large
a share of messages fails, the process ends, uncommitted.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from schemas.base import Message
from schemas.codec import Undecodable
from schemas.topics import DEAD_LETTERS, Topic
from streams.outcomes import Invalid, TryLater, Unavailable
from streams.shell.dead_letter import headers_of
from streams.shell.delivery import Delivery
from streams.shell.exits import Exit, ExitCode
from streams.shell.failpoints import Failpoint, FailpointName
from streams.shell.failure_share import FailureShare
from streams.shell.log import LogEvent, log, printable_key, where
from streams.shell.settings import ShellSettings
from streams.shell.tenure import HandedBack, Tenure


class Outlet(Protocol):
    """What the guard sends through; `Sender` is it."""

    async def send(self, messages: Sequence[Message], *, between: FailpointName | None = None) -> None:
        """Send and wait for the broker."""

    async def send_raw(
        self, topic: Topic, key: bytes | None, value: bytes | None, headers: Mapping[str, bytes]
    ) -> None:
        """Send bytes and wait for the broker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One message and what to do with it.

    Attributes:
        stage: Name of the ledger or stage, for the dead letter.
        work: One try. May be called again.
        failure: The fact that says it can never be done, from sentence and wall clock; None where none can be made.
    """

    stage: str
    delivery: Delivery
    work: Callable[[], Awaitable[None]]
    failure: Callable[[str, int], Message | None]


class Guard:
    """Carries units to their end. One for a process: it counts the share of failures of all its agents."""

    def __init__(
        self,
        *,
        settings: ShellSettings,
        outlet: Outlet,
        tenure: Tenure,
        end: Exit,
        failpoint: Failpoint,
        clock: Callable[[], int],
        monotonic_s: Callable[[], float],
        sleep: Callable[[float], Coroutine[Any, Any, None]],
        jitter: Callable[[], float],
    ) -> None:
        """Bind the parts.

        Args:
            settings: Tries, backoff and limits.
            outlet: Sends facts and dead letters.
            tenure: When it is over, nothing is tried again.
            end: Ends the process.
            failpoint: See `failpoints`.
            clock: Wall clock, milliseconds since 1970 UTC.
            monotonic_s: For the length of an outage.
            sleep: Waits some seconds.
            jitter: A random number in [0, 1).
        """
        self._settings = settings
        self._outlet = outlet
        self._tenure = tenure
        self._end = end
        self._failpoint = failpoint
        self._clock = clock
        self._monotonic_s = monotonic_s
        self._sleep = sleep
        self._jitter = jitter
        self._share = FailureShare(window=settings.failure_window, limit=settings.failure_share_limit)

    async def run(self, unit: Unit) -> bool:
        """Carry one unit to its end. True: the message may be committed. False: it has gone back to the log."""
        try:
            failure, tries = await self._try(unit)
            if failure is None:
                self._share.done()
            else:
                await self._give_up(unit, failure, tries)
        except HandedBack:
            log.info(LogEvent.HANDED_BACK, **_about(unit))
            return False
        except asyncio.CancelledError:
            # The stream would acknowledge the message on the way out.
            log.error(LogEvent.INTERRUPTED, **_about(unit))
            self._end(ExitCode.INTERRUPTED)
        return True

    async def _try(self, unit: Unit) -> tuple[Exception | None, int]:
        """Why it is given up, or None when it is done; and the tries it took."""
        tries = 0
        waits = 0
        down_since_s: float | None = None
        while True:
            try:
                await unit.work()
            except HandedBack:
                raise
            except (Invalid, Undecodable) as error:
                return error, tries + 1
            except Unavailable as error:
                now_s = self._monotonic_s()
                down_since_s = now_s if down_since_s is None else down_since_s
                if now_s - down_since_s > self._settings.outage_limit_s:
                    log.error(LogEvent.OUTAGE_TOO_LONG, dependency=error.dependency, **_about(unit))
                    self._end(ExitCode.UNAVAILABLE)
                waits += 1
                log.warning(LogEvent.DEPENDENCY_DOWN, dependency=error.dependency, wait=waits, **_about(unit))
                await self._tenure.wait(self._sleep(self._pause_s(waits)))
            except Exception as error:  # noqa: BLE001 # an unknown failure counts as try later (streams.outcomes)
                down_since_s, waits = None, 0
                tries += 1
                log.warning(LogEvent.TRY_FAILED, attempt=tries, **_about(unit), **_of(error))
                if tries >= self._settings.tries:
                    return error, tries
                await self._tenure.wait(self._sleep(self._pause_s(tries)))
            else:
                return None, tries + 1

    def _pause_s(self, number: int) -> float:
        # The exponent is capped before the power is taken: an outage counts to any number.
        longest = min(self._settings.backoff_s * 2.0 ** min(number - 1, 16), self._settings.backoff_limit_s)
        return longest * (0.5 + 0.5 * self._jitter())

    async def _give_up(self, unit: Unit, error: Exception, tries: int) -> None:
        self._share.failed()
        if self._share.over_limit():
            log.error(LogEvent.TOO_MANY_FAILURES, **_about(unit), **_of(error))
            self._end(ExitCode.FAILING)
        at_ms = self._clock()
        sentence = _sentence(error, tries)
        headers = headers_of(unit.delivery, error=sentence, attempt=tries, stage=unit.stage, at_ms=at_ms)
        try:
            fact = unit.failure(sentence, at_ms)
            if fact is not None:
                await self._outlet.send([fact])
                self._failpoint(FailpointName.GUARD_FACT_SENT)
            await self._outlet.send_raw(DEAD_LETTERS, unit.delivery.key, unit.delivery.value, headers)
            self._failpoint(FailpointName.GUARD_DEAD_LETTER_SENT)
        except Exception as problem:  # noqa: BLE001 # whatever it is, the message must not be committed
            log.error(LogEvent.NOT_DELIVERED, **_about(unit), **_of(problem))
            self._end(ExitCode.UNDELIVERED)
        log.warning(LogEvent.GIVEN_UP, attempt=tries, **_about(unit), **_of(error))


def _sentence(error: Exception, tries: int) -> str:
    """What the person reads. Only our own outcomes carry text that was written for one."""
    if isinstance(error, Invalid | TryLater):
        return str(error)
    if isinstance(error, Undecodable):
        return "This is not a message of its topic."
    return f"This failed {tries} times and was given up."


def _about(unit: Unit) -> dict[str, object]:
    delivery = unit.delivery
    return {
        "stage": unit.stage,
        "topic": delivery.topic,
        "partition": delivery.partition,
        "offset": delivery.offset,
        "key": printable_key(delivery.key),
    }


def _of(error: BaseException) -> dict[str, object]:
    return {"error_type": type(error).__name__, "where": where(error)}
