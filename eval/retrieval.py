"""`python -m eval retrieval`: how well the runbook search finds, and how well it abstains."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from eval.retrieval_figures import auroc, averaged, risk_coverage, scores
from eval.retrieval_questions import near_strangers, read_questions, strangers
from eval.retrieval_run import FUSED, WAYS, Asked, ask, indexed
from ingest.confidence import THRESHOLD

NOT_TUNED = ("generic",)
NAMES = ("R@1", "R@3", "R@5", "MRR", "nDCG@10")
NOTE = (
    "A match names the other runbooks about its alert and its near copies; in `fused` these count as found with it, in "
    "`fused, copies apart` each page has a place of its own."
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure: the corpora, one folder a source; the questions; where the index is kept."""

    corpora: Path
    queries: Path
    index: Path


def measured(plan: Plan, out: Path | None, console: Console) -> str:
    """The page of figures; they go into `out` as JSON as well. The index is built the first time."""
    questions = read_questions(plan.queries)
    indexed(plan.corpora, plan.index, console)
    console.print(f"asking {len(questions)} questions", highlight=False)
    found = figures(
        list(ask(plan.index, questions)),
        [one.sure for one in ask(plan.index, strangers())],
        [one.sure for one in ask(plan.index, near_strangers())],
    )
    if out:
        out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return "\n".join(page(found)) + "\n"


def figures(
    asked: Sequence[Asked], strange: Sequence[float], near: Sequence[float]
) -> dict[str, Any]:
    """All figures, as JSON holds them."""
    fair = [one for one in asked if one.question.difficulty not in NOT_TUNED]
    sure = [(one.sure, one.right) for one in fair]
    kept = sum(one >= THRESHOLD for one, _ in sure)
    refused = sum(one < THRESHOLD for one in strange)
    return {
        "questions": len(asked),
        "strangers": len(strange),
        "kinds": _groups(asked, lambda one: f"{one.question.difficulty} {one.question.kind}"),
        "sources": _groups(fair, lambda one: one.question.source),
        "abstention": {
            "auroc": round(auroc([one for one, _ in sure], strange), 4),
            "threshold": THRESHOLD,
            "kept": round(kept / len(sure), 4),
            "refused": round(refused / len(strange), 4),
            "near": len(near),
            "near_auroc": round(auroc([one for one, _ in sure], near), 4),
            "near_refused": round(sum(one < THRESHOLD for one in near) / len(near), 4),
            "table": risk_coverage(sure, strange),
        },
        "misses": [
            {"id": one.question.id, "sure": round(one.sure, 3)} for one in fair if not one.right
        ],
    }


def _groups(asked: Sequence[Asked], group_of: Callable[[Asked], str]) -> list[dict[str, Any]]:
    """For each group, by its name: every way's figures."""
    groups: dict[str, list[Asked]] = defaultdict(list)
    for one in asked:
        groups[group_of(one)].append(one)
    return [
        {
            "group": name,
            "n": len(own),
            "ways": {
                way: averaged([scores(one.slots[way], len(one.question.relevant)) for one in own])
                for way in WAYS
            },
        }
        for name, own in sorted(groups.items())
    ]


def page(found: dict[str, Any]) -> Iterator[str]:
    """The figures as a person reads them."""
    yield f"{found['questions']} questions; means with half of the 95 % interval"
    yield NOTE
    for title, groups in (("difficulty and kind", "kinds"), ("source of the answer", "sources")):
        yield ""
        yield f"{title:<30} {'n':>4}  " + "  ".join(f"{name:>12}" for name in NAMES)
        for group in found[groups]:
            yield _row(group["group"], group["n"], group["ways"][FUSED])
    yield ""
    yield f"{'nDCG@10 of each side':<30} {'n':>4}  " + "  ".join(f"{way:>19}" for way in WAYS)
    for group in found["kinds"]:
        cells = (_cell(group["ways"][way]["nDCG@10"]) for way in WAYS)
        yield f"{group['group']:<30} {group['n']:>4}  " + "  ".join(f"{one:>19}" for one in cells)
    yield from _abstention(found["abstention"], found["strangers"])


def _row(name: str, n: int, row: dict[str, Any]) -> str:
    return f"{name:<30} {n:>4}  " + "  ".join(f"{_cell(row[one]):>12}" for one in NAMES)


def _cell(figure: dict[str, float]) -> str:
    return f"{figure['mean']:.3f} ±{figure['half']:.3f}"


def _abstention(found: dict[str, Any], count: int) -> Iterator[str]:
    yield ""
    yield (
        f"abstention ({count} questions without an answer; generic ones left out): AUROC "
        f"{found['auroc']:.3f}; at the threshold in use ({found['threshold']}) keeps "
        f"{found['kept']:.3f} of the answerable, refuses {found['refused']:.3f} of the others"
    )
    yield (
        f"of {found['near']} harder ones, like those that are covered: AUROC "
        f"{found['near_auroc']:.3f}, refuses {found['near_refused']:.3f}"
    )
    yield f"{'kept':>6}  {'threshold':>9}  {'refused':>7}  {'first wrong':>11}  {'or stranger':>11}"
    for row in found["table"]:
        yield (
            f"{row['kept']:>6.2f}  {row['threshold']:>9.3f}  {row['refused']:>7.3f}"
            f"  {row['wrong_first']:>11.3f}  {row['wrong_or_stranger']:>11.3f}"
        )
