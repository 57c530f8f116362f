"""How good are the answers? The project's own judge, over question files with known answers.

A question line: {"id", "question", "turns"?, "type"?, "answerable"?, and the expected strings as "gold" or
"answer_groups" (every group needs one of its wordings) or "answers" (any one)}, with "docs" or "relevant" naming the
documents that may be cited.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from index.errors import YuntuError
from index.fold import fold_text
from rag.values import Answer

SHORT_CHARS, LONG_CHARS = 120, 400  # what a hurried reader sees of a short and of a long answer
LONG_TYPES = frozenset({"list", "explain", "compare", "conflict", "adversarial"})
_MARKS = re.compile(r"\[\d+\]|[*_`#>|]|-{3,}")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


class BadQuestions(YuntuError):
    """A question file that cannot be used."""

    code = "bad_questions"


@dataclass(frozen=True, slots=True)
class Judged:
    """One answer against what was expected."""

    id: str
    type: str
    answerable: bool
    right: bool
    refused: bool
    cited: bool  # a cited document is one of the expected ones
    verbatim: bool  # every quote stands where it says
    chars: int
    latency_ms: float
    why: str


def read_questions(path: Path) -> list[dict[str, Any]]:
    """The questions of a JSON lines file. Raises: BadQuestions naming the first bad line."""
    rows: list[dict[str, Any]] = []
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as e:
        raise BadQuestions(f"读不了 {path} (cannot read): {e}") from e
    for n, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if not isinstance(row, dict):
                raise TypeError("不是对象 (not an object)")
            turns, gold = row.get("turns") or [], row.get("gold") or []
            if not isinstance(row["question"], str) or not isinstance(turns, list) or {*map(type, turns)} - {str}:
                raise TypeError("question 要是字符串,turns 要是字符串的列表")
            groups = [*gold, *(row.get("answer_groups") or []), row.get("answers") or []]
            if not all(isinstance(group, list) for group in groups):
                raise TypeError("gold 和 answer_groups 要是列表的列表,answers 要是列表")
            rows.append({"id": str(n), **row})
        except (ValueError, KeyError, TypeError) as e:
            raise BadQuestions(f"{path}:{n}: {type(e).__name__}: {e}", '每行要是 {"id","question","turns"?}') from e
    return rows


def plain(text: str) -> str:
    """Folded, without marks, thousands commas and blanks."""
    return re.sub(r"\s+", "", _THOUSANDS.sub("", fold_text(_MARKS.sub("", text))))


def holds(text: str, needle: str) -> bool:
    """Whether plain `text` has `needle`; a figure only whole (200亿 is not in 1200亿, nor 10万 in 10万亿)."""
    wanted = plain(needle)
    for m in re.finditer(re.escape(wanted), text) if wanted else ():
        before, after = text[max(0, m.start() - 2) : m.start()], text[m.end() : m.end() + 2]
        if wanted[0].isdigit() and re.search(r"\d\.?$", before):
            continue
        if wanted[-1].isdigit() and re.match(r"\.?\d|[万亿]", after):
            continue
        if re.search(r"\d万$", wanted) and after[:1] == "亿":
            continue
        return True
    return False


def judge(question: dict[str, Any], answer: Answer, texts: dict[str, str]) -> Judged:
    """Judges one answer; `texts` are the documents by doc_id."""
    kind = str(question.get("type") or question.get("task") or "question")
    answerable = bool(question.get("answerable", True))
    groups = (
        question.get("gold")
        or question.get("answer_groups")
        or ([question["answers"]] if question.get("answers") else [])
    )
    docs = [str(d) for d in question.get("docs") or question.get("relevant") or ()]
    seen = plain(answer.text)[: LONG_CHARS if kind in LONG_TYPES else SHORT_CHARS]
    said = bool(groups) and all(any(holds(seen, g) for g in group) for group in groups)
    cited = not docs or any(c.doc_id == d or c.doc_id.startswith(d + "_") for c in answer.citations for d in docs)
    verbatim = all(texts.get(c.doc_id, "")[c.start : c.end] == c.quote for c in answer.citations)
    right = (said and cited and not answer.refused) if answerable else answer.refused
    why = (
        ""
        if right
        else "refused"
        if answer.refused
        else "not refused"
        if not answerable
        else "no gold"
        if not said
        else "not cited"
    )
    return Judged(
        str(question["id"]),
        kind,
        answerable,
        right,
        answer.refused,
        cited,
        verbatim,
        len(answer.text),
        answer.timings_ms["total"],
        why,
    )


def summary(judged: Sequence[Judged]) -> dict[str, Any]:
    """Accuracy by type, refusals, citations, length and latency over all questions."""

    def share(rows: Iterable[bool]) -> float | None:
        values = list(rows)
        return round(sum(values) / len(values), 4) if values else None

    latencies = sorted(j.latency_ms for j in judged)
    return {
        "questions": len(judged),
        "accuracy": share(j.right for j in judged),
        "by_type": {
            t: {"n": sum(j.type == t for j in judged), "accuracy": share(j.right for j in judged if j.type == t)}
            for t in dict.fromkeys(j.type for j in judged)
        },
        "false_refusals": share(j.refused for j in judged if j.answerable),
        "correct_refusals": share(j.refused for j in judged if not j.answerable),
        "expected_document_cited": share(j.cited for j in judged if j.answerable),
        "quotes_verbatim": share(j.verbatim for j in judged),
        "mean_chars": round(float(np.mean([j.chars for j in judged])), 1) if judged else None,
        "latency_ms": {"p50": float(np.percentile(latencies, 50)), "p95": float(np.percentile(latencies, 95))}
        if judged
        else None,
    }
