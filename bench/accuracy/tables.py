"""The figures as JSON and as Markdown."""

from collections.abc import Sequence

from bench.accuracy.measure import FMRS, Measures, Row
from bench.accuracy.score import Miss
from bench.accuracy.statistics import Rate
from bench.output import Figure


def figures(measured: Sequence[Measures], conditions: str) -> dict[str, Figure]:
    """One JSON object: this project's figures, and under each other recipe's name the same of that one."""
    first, *others = measured
    return {**_figures(first), **{each.recipe: _figures(each) for each in others}, "conditions": conditions}


def tables(measured: Sequence[Measures]) -> str:
    """Markdown tables, side by side."""
    return "\n\n".join([_set(measured[0]), _main(measured), _rows(measured), _misses(measured)])


def _figures(each: Measures) -> dict[str, Figure]:
    return {
        "recall_s": each.recall_s.value,
        "recall_s_interval": _interval(each.recall_s),
        "recall_s_from_60_px": each.recall_s_from_60_px.value,
        "recall_s_from_60_px_interval": _interval(each.recall_s_from_60_px),
        "precision_s": each.precision_s.value,
        "precision_s_interval": _interval(each.precision_s),
        "false_clips_per_1000": each.false_clips_per_1000.value,
        "false_clips_per_1000_interval": _interval(each.false_clips_per_1000),
        "false_match_rate": each.false_match_rate.value,
        "false_match_rate_interval": _interval(each.false_match_rate),
        **{f"fnmr_at_fmr_{_short(rate)}": each.fnmr[rate][1].value for rate in FMRS},
        **{f"fnmr_at_fmr_{_short(rate)}_interval": _interval(each.fnmr[rate][1]) for rate in FMRS},
        **{f"threshold_at_fmr_{_short(rate)}": each.fnmr[rate][0] for rate in FMRS},
        "people": each.people,
        "selfies": each.selfies,
        "passes": each.passes,
        "searches": each.searches,
        "comparisons": each.comparisons,
        "max_distance": each.max_distance,
        "same_photo": {"people": each.same_photo_people, "recall_s": each.same_photo_recall_s.value},
        "rows": [_row(row) for row in each.rows],
        "misses": {miss.name.lower(): each.misses.get(miss, 0) for miss in Miss},
        "curve": [{"threshold": t, "recall_s": r, "precision_s": p} for t, r, p in each.curve],
    }


def _row(row: Row) -> Figure:
    return {
        "row": row.name,
        "people": row.people,
        "passes": row.passes,
        "recall_s": row.recall_s.value,
        "recall_s_interval": _interval(row.recall_s),
        "fnmr_at_fmr_1e3": row.fnmr_at_fmr_1e3.value,
    }


def _set(each: Measures) -> str:
    return (
        f"{each.people} people with other photos than their selfies ({each.selfies} selfies, {each.passes} passes) and "
        f"{each.same_photo_people} with the same photo or film; {each.searches} searches of one selfie in one film, "
        f"{each.comparisons} comparisons of a selfie with somebody passing."
    )


def _main(measured: Sequence[Measures]) -> str:
    lines = [
        ("threshold (Euclidean distance)", [f"{each.max_distance:.2f}" for each in measured]),
        ("recall in seconds", [_percent(each.recall_s) for each in measured]),
        ("recall in seconds, faces from 60 px", [_percent(each.recall_s_from_60_px) for each in measured]),
        ("precision in seconds", [_percent(each.precision_s) for each in measured]),
        ("false clips per 1,000 searches", [_plain(each.false_clips_per_1000) for each in measured]),
        ("false match rate at that threshold", [_percent(each.false_match_rate, 2) for each in measured]),
        *((f"FNMR at FMR {rate:g} (its threshold)", [_fnmr(each, rate) for each in measured]) for rate in FMRS),
        ("same photo or film: recall in seconds", [_percent(each.same_photo_recall_s) for each in measured]),
    ]
    return _table(["", *(each.recipe for each in measured)], [[name, *values] for name, values in lines])


def _rows(measured: Sequence[Measures]) -> str:
    titles = [f"{what}, {each.recipe}" for what in ("recall", "FNMR at FMR 0.001") for each in measured]
    body = []
    for rows in zip(*(each.rows for each in measured), strict=True):
        recalls = [_percent(row.recall_s) for row in rows]
        body.append([rows[0].name, str(rows[0].passes), *recalls, *(_percent(row.fnmr_at_fmr_1e3) for row in rows)])
    return _table(["passes of", "number", *titles], body)


def _misses(measured: Sequence[Measures]) -> str:
    body = [[str(miss), *(str(each.misses.get(miss, 0)) for each in measured)] for miss in Miss]
    return _table(["why a search missed some of a pass", *(each.recipe for each in measured)], body)


def _table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    rule = ["---", *("--:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, rule, *body))


def _fnmr(each: Measures, rate: float) -> str:
    threshold, missed = each.fnmr[rate]
    return f"{_percent(missed)} ({threshold:.3f})"


def _percent(rate: Rate, digits: int = 1) -> str:
    value, low, high = (f"{100 * each:.{digits}f}" for each in (rate.value, rate.low, rate.high))
    return f"{value} % [{low}, {high}]"


def _plain(rate: Rate) -> str:
    return f"{rate.value:.1f} [{rate.low:.1f}, {rate.high:.1f}]"


def _interval(rate: Rate) -> list[Figure]:
    return [rate.low, rate.high]


def _short(rate: float) -> str:
    return f"{rate:.0e}".replace("e-0", "e")
