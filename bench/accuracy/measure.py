"""From all searches of a recipe to the figures that are published."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.accuracy.people import Source
from bench.accuracy.plan import BANDS, Pass
from bench.accuracy.score import NOT_FOUND, Miss, Query, Search, Work, search_all
from bench.accuracy.statistics import Rate, ratio_by_person, rule_of_three, threshold_at

Floats = npt.NDArray[np.float64]

FMRS = (1e-2, 1e-3)
LARGE_PX = 60


@dataclass(frozen=True, eq=False)
class Comparisons:
    """Selfie against pass: the smallest distance of any vector of the pass, `NOT_FOUND` where none was found.

    Attributes:
        genuine: (row, distance) for every pass of the selfie's person, by what the rows are about.
        impostors: sorted distances of passes of others that were found.
        searched: for each of `impostors` whose selfie it was.
    """

    genuine: tuple[tuple[Search, float], ...]
    impostors: Floats
    searched: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """Passes of one size or difficulty."""

    name: str
    people: int
    passes: int
    recall_s: Rate
    fnmr_at_fmr_1e3: Rate


@dataclass(frozen=True, eq=False)
class Measures:
    """What one recipe reached, at its usual threshold unless said otherwise."""

    recipe: str
    max_distance: float
    people: int
    selfies: int
    passes: int
    searches: int
    comparisons: int
    recall_s: Rate
    recall_s_from_60_px: Rate
    precision_s: Rate
    false_clips: int
    false_clips_per_1000: Rate
    false_match_rate: Rate
    fnmr: Mapping[float, tuple[float, Rate]]
    rows: tuple[Row, ...]
    misses: Mapping[Miss, int]
    same_photo_recall_s: Rate
    same_photo_people: int
    curve: tuple[tuple[float, float, float], ...]
    tradeoff: tuple[tuple[float, float], ...]


def measure(work: Work, thresholds: Sequence[float] = ()) -> Measures:
    """All figures of a recipe; `curve` has (threshold, recall, precision) for each of `thresholds`."""
    limit = work.recipe.max_distance
    everything = search_all(work, limit)
    searches = [each for each in everything if each.query.person.source is Source.OTHER_PHOTO]
    shown = [each for each in searches if each.shown is not None]
    same = [each for each in everything if each.shown and each.query.person.source is Source.SAME_PHOTO]
    pairs = _comparisons(work, searches)
    fnmr = {rate: _fnmr(pairs, threshold_at(pairs.impostors, rate)) for rate in FMRS}
    return Measures(
        recipe=work.recipe.name,
        max_distance=limit,
        people=len({each.query.person.name for each in shown}),
        selfies=len({(each.query.person.name, each.query.number) for each in shown}),
        passes=len({(each.query.person.name, each.film.name) for each in shown}),
        searches=len(searches),
        comparisons=len(pairs.genuine) + len(pairs.impostors),
        recall_s=recall(shown),
        recall_s_from_60_px=recall([each for each in shown if _pass(each).face_px >= LARGE_PX]),
        precision_s=precision(searches),
        false_clips=sum(each.is_false for each in searches),
        false_clips_per_1000=false_clips(searches),
        false_match_rate=ratio_by_person(pairs.impostors < limit, np.ones(len(pairs.impostors)), pairs.searched),
        fnmr=fnmr,
        rows=tuple(_rows(shown, pairs, fnmr[1e-3][0])),
        misses=Counter(each.miss for each in shown if each.miss is not None),
        same_photo_recall_s=recall(same),
        same_photo_people=len({each.query.person.name for each in same}),
        curve=tuple(_at(work, threshold) for threshold in thresholds),
        tradeoff=_tradeoff(pairs),
    )


def recall(shown: Sequence[Search]) -> Rate:
    """Seconds in a clip, of the seconds that the selfies' people are in view."""
    names = [each.query.person.name for each in shown]
    return ratio_by_person([each.covered_ms for each in shown], [each.shown_ms for each in shown], names)


def precision(searches: Sequence[Search]) -> Rate:
    """Seconds of the clips that are of the selfies' people, padding included; 1 without clips."""
    clips = [each for each in searches if each.clip is not None]
    if not clips:
        return Rate(1.0, 0.0, 1.0)
    names = [each.query.person.name for each in clips]
    return ratio_by_person([each.right_ms for each in clips], [each.clip_ms for each in clips], names)


def false_clips(searches: Sequence[Search]) -> Rate:
    """Clips without a moment of the selfie's person, of 1,000 searches."""
    names = [each.query.person.name for each in searches]
    rate = ratio_by_person([float(each.is_false) for each in searches], [1.0] * len(searches), names)
    # Searches without an error bound their own rate: each is a trial.
    high = rule_of_three(len(searches)) if rate.value == 0 else rate.high
    return Rate(1000 * rate.value, 1000 * rate.low, 1000 * high)


def _pass(search: Search) -> Pass:
    assert isinstance(search.shown, Pass)
    return search.shown


def _comparisons(work: Work, searches: Sequence[Search]) -> Comparisons:
    genuine: list[tuple[Search, float]] = []
    impostors: list[tuple[float, str]] = []
    films = {footage.film.name: number for number, footage in enumerate(work.footage)}
    queries: Mapping[Query, int] = {query: number for number, query in enumerate(work.queries)}
    for search in searches:
        number = films[search.film.name]
        footage = work.footage[number]
        found = work.distances[queries[search.query], number]
        for each in footage.film.passes:
            theirs = [d for d, owner in zip(found, footage.owners, strict=True) if owner is each]
            nearest = float(min(theirs, default=NOT_FOUND))
            if each.person is search.query.person:
                genuine.append((search, nearest))
            elif nearest < NOT_FOUND:
                impostors.append((nearest, search.query.person.name))
    impostors.sort()
    distances, searched = zip(*impostors, strict=True)
    return Comparisons(tuple(genuine), np.array(distances), searched)


def _fnmr(pairs: Comparisons, threshold: float) -> tuple[float, Rate]:
    return threshold, _missed(pairs.genuine, threshold)


def _missed(genuine: Sequence[tuple[Search, float]], threshold: float) -> Rate:
    names = [search.query.person.name for search, _ in genuine]
    return ratio_by_person([float(d >= threshold) for _, d in genuine], [1.0] * len(genuine), names)


def _rows(shown: Sequence[Search], pairs: Comparisons, threshold: float) -> Iterator[Row]:
    groups: list[tuple[str, Callable[[Search], bool]]] = [
        (f"{low}-{high} px", lambda each, band=(low, high): _pass(each).band == band)  # type: ignore[misc]
        for low, high in BANDS
    ]
    labels = dict.fromkeys(_pass(each).label for each in shown)
    groups += [
        (f"{label}, from {LARGE_PX} px", lambda each, label=label: _is(each, label))  # type: ignore[misc]
        for label in sorted(labels, key=_order)
    ]
    for name, belongs in groups:
        members = [each for each in shown if belongs(each)]
        if members:
            missed = _missed([pair for pair in pairs.genuine if belongs(pair[0])], threshold)
            people = {each.query.person.name for each in members}
            passes = {(each.query.person.name, each.film.name) for each in members}
            yield Row(name, len(people), len(passes), recall(members), missed)


def _is(search: Search, label: str) -> bool:
    return _pass(search).label == label and _pass(search).face_px >= LARGE_PX


def _order(label: str) -> tuple[bool, str]:
    return label != "plain", label


def _at(work: Work, threshold: float) -> tuple[float, float, float]:
    searches = [each for each in search_all(work, threshold) if each.query.person.source is Source.OTHER_PHOTO]
    return threshold, recall([each for each in searches if each.shown]).value, precision(searches).value


def _tradeoff(pairs: Comparisons) -> tuple[tuple[float, float], ...]:
    """(FMR, FNMR), from the smallest rate that a handful of comparisons resolve to one in ten."""
    rates = [float(rate) for rate in np.geomspace(max(1e-4, 1 / len(pairs.impostors)), 0.1, 40)]
    return tuple((rate, _share(pairs, threshold_at(pairs.impostors, rate))) for rate in rates)


def _share(pairs: Comparisons, threshold: float) -> float:
    return float(np.mean([distance >= threshold for _, distance in pairs.genuine]))
