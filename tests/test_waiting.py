import pytest

from tests.waiting import wait_until, wait_until_async


def test_returns_once_the_answer_is_yes() -> None:
    answers = iter([False, False, True])
    wait_until(lambda: next(answers), 5, "three questions")
    assert next(answers, "used up") == "used up"


def test_a_deadline_names_what_was_waited_for() -> None:
    with pytest.raises(AssertionError, match=r"not within 0.05 s: the moon"):
        wait_until(lambda: False, 0.05, "the moon")


async def test_the_loop_runs_while_waiting() -> None:
    answers = iter([False, True])

    async def ask() -> bool:
        return next(answers)

    await wait_until_async(ask, 5, "two questions")
    await wait_until_async(lambda: True, 5, "a plain answer")
    with pytest.raises(AssertionError, match="the moon"):
        await wait_until_async(lambda: False, 0.05, "the moon")
