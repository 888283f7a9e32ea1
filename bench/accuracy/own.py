"""An organiser's own labelled footage in place of the set made at run time."""

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench.accuracy.measure import false_clips, precision, recall
from bench.accuracy.people import Person, Source
from bench.accuracy.plan import Presence, Recording
from bench.accuracy.recipes import Recipe
from bench.accuracy.score import Footage, Query, compare, search_all
from bench.output import Figure
from infra.errors import UserError
from streams.media.probe import probe

LABELS, SELFIES, VIDEOS = "labels.csv", "selfies", "videos"
COLUMNS = ["person", "video", "start_s", "end_s"]


class LabelsError(UserError):
    """The folder cannot be used; the text says why."""


def load(folder: Path) -> tuple[tuple[Person, ...], tuple[Recording, ...]]:
    """People and films of a folder with `selfies/PERSON/*`, `videos/*` and `labels.csv`.

    Raises:
        LabelsError: something is missing, or a label names what is not there.
        SourceUnreadable: a video cannot be decoded.
    """
    people = {
        each.name: Person(each.name, Source.OTHER_PHOTO, tuple(_files_of(each)), ())
        for each in _listed(folder / SELFIES)
        if each.is_dir()
    }
    durations_ms = {each.name: probe(each).duration_ms for each in _listed(folder / VIDEOS)}
    passes: dict[str, list[Presence]] = {name: [] for name in durations_ms}
    for number, (person, video, start_ms, end_ms) in _labels(folder / LABELS):
        if person not in people or video not in passes:
            raise LabelsError(f"{LABELS}, line {number}: there is no {SELFIES}/{person} or no {VIDEOS}/{video}.")
        if any(each.person.name == person for each in passes[video]):
            raise LabelsError(f"{LABELS}, line {number}: {person} is twice in {video}; a video gives one clip: cut it.")
        if not 0 <= start_ms < end_ms <= durations_ms[video]:
            raise LabelsError(f"{LABELS}, line {number}: the span is empty or not inside the video.")
        passes[video].append(Presence(person=people[person], start_ms=start_ms, end_ms=end_ms))
    films = (
        Recording(name=name, duration_ms=durations_ms[name], passes=tuple(passes[name])) for name in sorted(passes)
    )
    return tuple(people.values()), tuple(films)


def measure_own(folder: Path, recipes: Sequence[Recipe], say: Callable[[str], None]) -> dict[str, Figure]:
    """Recall, precision and false clips of the first recipe, and of each other under its name."""
    people, films = load(folder)
    first, *others = [_figures(recipe, folder, people, films, say) for recipe in recipes]
    named = zip((recipe.name for recipe in recipes[1:]), others, strict=True)
    return {**first, **dict(named)}


def _figures(
    recipe: Recipe, folder: Path, people: Sequence[Person], films: Sequence[Recording], say: Callable[[str], None]
) -> dict[str, Figure]:
    queries = [
        Query(person, number, recipe.read_selfie(data))
        for person in people
        for number, data in enumerate(person.selfies)
    ]
    footage = []
    for film in films:
        say(f"{recipe.name}: {film.name}")
        seen = tuple(recipe.index(folder / VIDEOS / film.name, film.duration_ms))
        footage.append(Footage(film, seen, (None,) * len(seen)))
    searches = search_all(compare(recipe, queries, footage), recipe.max_distance)
    rates = {
        "recall_s": recall([each for each in searches if each.shown]),
        "precision_s": precision(searches),
        "false_clips_per_1000": false_clips(searches),
    }
    return {
        **{name: rate.value for name, rate in rates.items()},
        **{f"{name}_interval": [rate.low, rate.high] for name, rate in rates.items()},
        "people": len(people),
        "selfies": len(queries),
        "refused_selfies": sum(query.vector is None for query in queries),
        "searches": len(searches),
        "max_distance": recipe.max_distance,
    }


def _labels(path: Path) -> Iterator[tuple[int, tuple[str, str, int, int]]]:
    try:
        with path.open(newline="") as lines:
            rows = csv.DictReader(lines)
            if rows.fieldnames != COLUMNS:
                raise LabelsError(f"{LABELS} must begin with the line {','.join(COLUMNS)}.")
            for row in rows:
                yield rows.line_num, _label(row, rows.line_num)
    except FileNotFoundError:
        raise LabelsError(f"There is no {LABELS} in {path.parent}.") from None


def _label(row: dict[str, str], number: int) -> tuple[str, str, int, int]:
    try:
        return row["person"], row["video"], round(float(row["start_s"]) * 1000), round(float(row["end_s"]) * 1000)
    except (TypeError, ValueError, OverflowError):
        raise LabelsError(f"{LABELS}, line {number}: start_s and end_s must be numbers, in seconds.") from None


def _listed(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise LabelsError(f"There is no folder {folder.name} in {folder.parent}.")
    return sorted(each for each in folder.iterdir() if not each.name.startswith("."))


def _files_of(folder: Path) -> Iterator[bytes]:
    return (each.read_bytes() for each in _listed(folder))
