"""Measures how well the whole job finds people: recall, precision, false clips, by difficulty, beside a plain recipe.

    python -m bench accuracy [--json] [--fast | --write-docs | --footage DIR] [--models DIR]

Renders footage in which known people pass at known times, indexes it as an index worker does, searches it with every
selfie as a match worker does, and plans the clips. docs/accuracy.md says what the set is and what it cannot tell.
`--fast` is a small part of it, without the plain recipe; `--footage` measures labelled footage of one's own.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.accuracy.measure import measure
from bench.accuracy.own import measure_own
from bench.accuracy.people import ORL_PEOPLE, load_people
from bench.accuracy.plan import Kind, plan_films
from bench.accuracy.publish import write_docs
from bench.accuracy.recipes import PlainFaceRecognition, Recipe, Spotclip
from bench.accuracy.run import run
from bench.accuracy.score import Work
from bench.accuracy.tables import figures, tables
from bench.output import conditions, parser, progress, report
from infra.errors import UserError
from streams.vision.face_models import FaceModels, load_face_models
from streams.vision.models.store import build_models

FAST_PEOPLE, FAST_KINDS = 12, (Kind.PLAIN, Kind.BLUR)
FILMS_PER_KIND = 3
THRESHOLDS = tuple(step / 100 for step in range(30, 71, 2))


def main() -> None:
    arguments = parser(__doc__)
    choice = arguments.add_mutually_exclusive_group()
    choice.add_argument("--fast", action="store_true", help="a small part of the set, this project's recipe alone")
    choice.add_argument("--write-docs", action="store_true", help="also write docs/accuracy.md's tables and picture")
    choice.add_argument("--footage", type=Path, help="a folder with selfies/PERSON/*, videos/* and labels.csv")
    arguments.add_argument("--models", type=Path, help="where built models are kept; else built anew")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="spotclip-models-") as folder:
        models = build_models(given.models or Path(folder))
        faces = load_face_models(models)
        recipes: list[Recipe] = [Spotclip(faces)]
        if not given.fast:
            recipes += [Spotclip(faces, far_faces=True), PlainFaceRecognition(models, faces.embedder)]
        if given.footage:
            try:
                report(measure_own(given.footage, recipes, progress), as_json=given.json)
            except UserError as error:
                sys.exit(str(error))
            return
        works = fast_works(faces, recipes) if given.fast else whole_works(faces, recipes)
    measured = [measure(work, THRESHOLDS) for work in works]
    if given.write_docs:
        write_docs(measured)
    report(figures(measured, conditions()), as_json=given.json, table=tables(measured))


def whole_works(faces: FaceModels, recipes: Sequence[Recipe]) -> list[Work]:
    people = load_people(faces.detector, orl_people=ORL_PEOPLE)
    return run(people, plan_films(people, kinds=tuple(Kind), films_per_kind=FILMS_PER_KIND), recipes, progress)


def fast_works(faces: FaceModels, recipes: Sequence[Recipe]) -> list[Work]:
    people = load_people(faces.detector, orl_people=FAST_PEOPLE)
    films = plan_films(people, kinds=FAST_KINDS, films_per_kind=1)
    return run(people, [film for film in films if film.passes], recipes, progress)


if __name__ == "__main__":
    main()
