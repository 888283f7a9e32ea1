"""Makes the set, and lets each recipe work over it."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.accuracy.people import Person
from bench.accuracy.plan import Film
from bench.accuracy.recipes import Recipe
from bench.accuracy.render import write_film
from bench.accuracy.score import Footage, Query, Work, compare, owner


def run(
    people: Sequence[Person], films: Sequence[Film], recipes: Sequence[Recipe], say: Callable[[str], None]
) -> list[Work]:
    """Renders each film, has every recipe index it in turn, and compares all selfies with all that was seen."""
    queries = [
        [
            Query(person, number, recipe.read_selfie(data))
            for person in people
            for number, data in enumerate(person.selfies)
        ]
        for recipe in recipes
    ]
    footage: list[list[Footage]] = [[] for _ in recipes]
    with tempfile.TemporaryDirectory(prefix="spotclip-accuracy-") as folder:
        path = Path(folder) / "film.mp4"
        for number, film in enumerate(films, 1):
            say(f"film {number} of {len(films)}: {film.name}, {len(film.passes)} people pass")
            write_film(film, path)
            for recipe, into in zip(recipes, footage, strict=True):
                seen = tuple(recipe.index(path, film.duration_ms))
                into.append(Footage(film, seen, tuple(owner(each, film) for each in seen)))
    return [compare(*each) for each in zip(recipes, queries, footage, strict=True)]
