from infra.dependencies import wait_for
from streams.outcomes import TryLater, Unavailable


class Flaky:
    """Fails as often as it has outages left."""

    def __init__(self, *outages: Exception) -> None:
        self.outages = list(outages)
        self.asked = 0

    async def check(self) -> None:
        self.asked += 1
        if self.outages:
            raise self.outages.pop(0)


async def test_a_start_waits_for_as_long_as_an_outage_lasts_with_growing_pauses() -> None:
    store = Flaky(*[Unavailable("s3", "the store is down")] * 8)
    pauses: list[float] = []

    async def sleep(pause_s: float) -> None:
        pauses.append(pause_s)

    await wait_for([store.check], sleep=sleep)
    assert store.asked == 9
    assert pauses == [0.25, 0.5, 1, 2, 4, 8, 10, 10]


async def test_what_answers_is_not_asked_again_while_another_is_waited_for() -> None:
    up, down = Flaky(), Flaky(TryLater("not now"), Unavailable("clickhouse", "down"))

    async def sleep(_pause_s: float) -> None:
        return

    await wait_for([up.check, down.check], sleep=sleep)
    assert (up.asked, down.asked) == (1, 3)
