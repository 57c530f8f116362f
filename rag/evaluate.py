"""How good are the answers? The project's own judge, over question files with known answers.

A question line: {"id", "question", "turns"?, "type"?, "answerable"?, and the expected strings as "gold" or
"answer_groups" (every group needs one of its wordings) or "answers" (any one)}, with "docs" or "relevant" naming the
documents that may be cited, "evidence" the words in them that bear the answer, and "forbidden" the strings that must
not come before the expected ones.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from index.errors import YuntuError
from index.fold import fold_text
from rag.values import Answer

SHORT_CHARS, LONG_CHARS = 120, 400  # what a hurried reader sees of a short and of a long answer
LONG_TYPES = frozenset({"list", "explain", "definition", "compare", "conflict", "timeline", "adversarial"})
SHARED_CHARS = 10  # that a citation has in common with the evidence it gives
MOST_CITATIONS, QUOTE_CHARS = 10, 200  # more, or longer, is no citation but the page
_MARKS = re.compile(r"\[\^?\d+(?:[,，、]\s*\d+)*\]|【\d+】|[*_`#>|]|-{3,}")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_DASHES = re.compile(r"[\u2010-\u2015\u2212~\uff5e\u301c]+")


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
    reason: str | None  # of a refusal
    cited: bool  # an expected document is cited, with words that bear the answer
    verbatim: bool  # every quote stands where it says
    chars: int
    timings_ms: Mapping[str, float]  # by stage, and in all
    why: str  # it is wrong: refused, not refused, no gold, forbidden first, not cited; empty when it is right


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
            if {type(wording) for group in [*groups, row.get("forbidden") or []] for wording in group} - {str}:
                raise TypeError("gold、answer_groups、answers、forbidden 里要是字符串")
            if not all(isinstance(row.get(name) or [], list) for name in ("docs", "relevant", "evidence")):
                raise TypeError("docs、relevant、evidence 要是列表")
            rows.append({"id": str(n), **row})
        except (ValueError, KeyError, TypeError) as e:
            raise BadQuestions(f"{path}:{n}: {type(e).__name__}: {e}", '每行要是 {"id","question","turns"?}') from e
    return rows


def plain(text: str) -> str:
    """Folded, without marks, thousands commas and more than one blank; a percentage and a dash in one form."""
    folded = _DASHES.sub("-", fold_text(_MARKS.sub(" ", text)))
    folded = re.sub(r"百分之(\d+(?:\.\d+)?)", r"\1%", _THOUSANDS.sub("", folded))
    folded = re.sub(r"(?<=\d)\s*(?:percent|per cent)\b", "%", folded)
    return re.sub(r"\s+", " ", folded).strip()


def seen(text: str, kind: str) -> str:
    """The beginning of an answer, which is what a hurried reader sees of it; plain."""
    shown = re.sub(r"[ \t]{2,}", " ", _MARKS.sub(" ", text)).strip()
    return plain(shown[: LONG_CHARS if kind in LONG_TYPES else SHORT_CHARS])


def place_of(text: str, needle: str) -> int | None:
    """Where plain `text` has `needle`; a figure only whole (200亿 is not in 1200亿, nor 10万 in 10万亿)."""
    wanted = plain(needle).replace(" ", "")
    word = re.fullmatch(r"[a-z][a-z.]{0,3}", wanted)  # IDC is none in “idcs”
    for m in re.finditer(" ?".join(map(re.escape, wanted)), text) if wanted else ():
        before, after = text[max(0, m.start() - 2) : m.start()], text[m.end() : m.end() + 2]
        if word and (re.match(r"[a-z]", before[-1:]) or re.match(r"[a-z]", after)):
            continue
        if wanted[0].isdigit() and re.search(r"\d\.?$", before):
            continue
        if wanted[-1].isdigit() and re.match(r"\.?\d| ?[万亿]", after):
            continue
        if re.search(r"\d万$", wanted) and after[:1] == "亿":
            continue
        return m.start()
    return None


def holds(text: str, needle: str) -> bool:
    """Whether plain `text` has `needle`, a figure only whole."""
    return place_of(text, needle) is not None


def gold_of(question: Mapping[str, Any]) -> list[list[str]]:
    """What has to be said: one wording of each group."""
    return list(
        question.get("gold")
        or question.get("answer_groups")
        or ([question["answers"]] if question.get("answers") else [])
    )


def type_of(question: Mapping[str, Any]) -> str:
    """The type a question is counted under."""
    return str(question.get("type") or question.get("task") or "question")


def judge(question: Mapping[str, Any], answer: Answer, texts: Mapping[str, str]) -> Judged:
    """Judges one answer; `texts` are the documents by doc_id."""
    kind = type_of(question)
    answerable = bool(question.get("answerable", True))
    text = seen(answer.text, kind)
    places = [
        min((p for g in group if (p := place_of(text, g)) is not None), default=None) for group in gold_of(question)
    ]
    said = bool(places) and None not in places
    cited = _is_cited(question, answer)
    if not answerable:
        why = "" if answer.refused else "not refused"
    elif answer.refused:
        why = "refused"
    elif not said:
        why = "no gold"
    elif kind not in LONG_TYPES and _is_misled(question, text, [p for p in places if p is not None]):
        why = "forbidden first"
    else:
        why = "" if cited else "not cited"
    return Judged(
        id=str(question["id"]),
        type=kind,
        answerable=answerable,
        right=not why,
        refused=answer.refused,
        reason=answer.reason,
        cited=cited,
        verbatim=all(texts.get(c.doc_id, "")[c.start : c.end] == c.quote for c in answer.citations),
        chars=len(answer.text),
        timings_ms=answer.timings_ms,
        why=why,
    )


def _is_misled(question: Mapping[str, Any], text: str, places: Sequence[int]) -> bool:
    """Whether a figure that is not the answer comes before all that is."""
    wrong = [p for f in question.get("forbidden") or () if (p := place_of(text, f)) is not None]
    return bool(wrong) and min(wrong) < min(places)


def _is_cited(question: Mapping[str, Any], answer: Answer) -> bool:
    docs = [str(d) for d in question.get("docs") or question.get("relevant") or ()]
    if not docs:
        return True
    if len(answer.citations) > MOST_CITATIONS:
        return False
    return any(
        len(c.quote) <= QUOTE_CHARS and _bears(question, f"{c.quote}\n{c.readable}")
        for c in answer.citations
        if any(c.doc_id == d or c.doc_id.startswith((d + "_", d + "-")) for d in docs)
    )


def _bears(question: Mapping[str, Any], quote: str) -> bool:
    """Whether a quote says a part of the answer, or shares words with the evidence; any does where none is given."""
    evidence = [plain(str(e.get("quote", "") if isinstance(e, dict) else e)) for e in question.get("evidence") or ()]
    if not evidence:
        return True
    text = plain(quote)
    if any(holds(text, wording) for group in gold_of(question) for wording in group):
        return True
    flat, bare = text.replace(" ", ""), [e.replace(" ", "") for e in evidence]
    pieces = (e[n : n + SHARED_CHARS] for e in bare for n in range(max(1, len(e) - SHARED_CHARS + 1)))
    return any(piece in flat for piece in pieces if piece)


def summary(judged: Sequence[Judged]) -> dict[str, Any]:
    """Accuracy by type, refusals with their reasons, citations, length and latency over all questions."""
    answerable, others = [j for j in judged if j.answerable], [j for j in judged if not j.answerable]
    total = [j.timings_ms.get("total", 0.0) for j in judged]
    stages = [s for s in dict.fromkeys(s for j in judged for s in j.timings_ms) if s != "total"]
    return {
        "questions": len(judged),
        "accuracy": _share(j.right for j in judged),
        "by_type": {
            t: {"n": sum(j.type == t for j in judged), "accuracy": _share(j.right for j in judged if j.type == t)}
            for t in dict.fromkeys(j.type for j in judged)
        },
        "false_refusals": _share(j.refused for j in answerable),
        "correct_refusals": _share(j.refused for j in others),
        "refusals": {
            "wrongly": _reasons(j for j in answerable if j.refused),
            "rightly": _reasons(j for j in others if j.refused),
            "missed": sum(not j.refused for j in others),
        },
        "expected_document_cited": _share(j.cited for j in answerable),
        "quotes_verbatim": _share(j.verbatim for j in judged),
        "wrong": dict(Counter(j.why for j in judged if j.why).most_common()),
        "mean_chars": round(float(np.mean([j.chars for j in judged])), 1) if judged else None,
        "latency_ms": _middle_and_slow(total),
        "stages_ms": {s: _middle_and_slow([j.timings_ms.get(s, 0.0) for j in judged]) for s in stages},
    }


def _share(rows: Iterable[bool]) -> float | None:
    values = list(rows)
    return round(sum(values) / len(values), 4) if values else None


def _reasons(judged: Iterable[Judged]) -> dict[str, int]:
    return dict(Counter(j.reason or "?" for j in judged).most_common())


def _middle_and_slow(values: Sequence[float]) -> dict[str, float] | None:
    if not values:
        return None
    return {"p50": round(float(np.percentile(values, 50)), 1), "p95": round(float(np.percentile(values, 95)), 1)}
