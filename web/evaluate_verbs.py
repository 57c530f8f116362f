"""The commands that put a file of questions: batch, run, evaluate; and the one that makes such a file, questions.

Heavy imports are in the functions.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from index.errors import YuntuError
from index.settings import Settings

REPORTS = (".md", ".html")


def batch(args: argparse.Namespace, settings: Settings) -> None:
    """Answers every question of a file, one line each."""
    from rag.evaluate import read_questions
    from rag.opening import opened

    questions = read_questions(args.questions)
    assistant = opened(settings, _say)

    def line(row: dict[str, Any]) -> dict[str, Any]:
        began = time.perf_counter()
        try:
            answer = assistant.ask(row["question"], row.get("turns") or [])
        except YuntuError as e:  # one bad question does not lose the others
            return {
                "id": row["id"],
                "answer": str(e),
                "refused": True,
                "reason": e.code,
                "kind": "refusal",
                "citations": [],
                "latency_ms": 0,
            }
        return {
            "id": row["id"],
            "answer": answer.text,
            "refused": answer.refused,
            "reason": answer.reason,
            "kind": answer.kind,
            "citations": [
                {"doc": c.doc_id, "start": c.start, "end": c.end, "quote": c.quote, "readable": c.readable}
                for c in answer.citations
            ],
            "latency_ms": round((time.perf_counter() - began) * 1000, 1),
        }

    _write_lines(args.out, questions, line)


def run(args: argparse.Namespace, settings: Settings) -> None:
    """Ranks passages for every query of a file, one line each."""
    from rag.evaluate import read_questions
    from rag.opening import opened

    queries = read_questions(args.queries)
    assistant = opened(settings, _say)

    def line(row: dict[str, Any]) -> dict[str, Any]:
        began = time.perf_counter()
        try:
            hits, support = assistant.run(row["question"], args.top_k)
        except YuntuError as e:  # one bad query does not lose the others
            _say(f"{row['id']}: {e}")
            hits, support = [], 0.0
        return {
            "id": row["id"],
            "hits": [
                {"doc": h.passage.doc_id, "passage": h.passage.passage_id, "score": round(h.score, 5)} for h in hits
            ],
            "support": round(support, 5),
            "latency_ms": round((time.perf_counter() - began) * 1000, 1),
        }

    _write_lines(args.out, queries, line)


def evaluate(args: argparse.Namespace, settings: Settings) -> None:
    """Scores the answers to a file of questions; where asked for, writes a report and holds floors against it."""
    from rag.evaluate import gold_of, judge, read_questions, type_of
    from rag.gate import check_types, held_against, pass_or_raise, read_floors
    from rag.opening import opened
    from rag.report import Case, Report, written

    questions = read_questions(args.questions)
    if args.report is not None:
        _check_report(args.report)
    floors = read_floors(args.gate) if args.gate is not None else []
    check_types(floors, {type_of(q) for q in questions})  # before minutes of answering
    if bare := sum(q.get("answerable", True) is not False and not gold_of(q) for q in questions):
        _say(f"{bare} 题没有标准答案,都算错 (without gold: counted as wrong)")
    assistant = opened(settings, _say)
    texts = {d.doc_id: d.text for d in assistant.documents()}
    cases = []
    for q in _progress(questions):
        try:
            answer = assistant.ask(q["question"], q.get("turns") or [])
        except YuntuError as e:
            raise YuntuError(f"{args.questions}: {q['id']}: {e.message}", e.hint) from e
        cases.append(Case(q, answer, judge(q, answer, texts)))
    report = Report(args.questions.name, assistant.version, cases)
    result = report.summary
    held = held_against(floors, result)
    if args.report is not None:
        page = written(replace(report, gate=held), args.report.suffix)
        args.report.write_text(page, encoding="utf-8", errors="replace")  # half a surrogate pair has no encoding
    if args.json:
        failures = [{"id": c.judged.id, "type": c.judged.type, "why": c.judged.why} for c in report.failures]
        gate = [{"name": h.floor.name, "limit": h.floor.limit, "measured": h.measured, "holds": h.holds} for h in held]
        told = {"index_version": report.index_version, **result, "failures": failures}
        print(json.dumps({**told, "gate": gate} if floors else told, ensure_ascii=False))
    else:
        _print(result)
    pass_or_raise(held)


def _check_report(path: Path) -> None:
    if path.suffix not in REPORTS:
        raise YuntuError(f"--report {path}: 写成 .md 或 .html (not a kind of report)")
    if not path.parent.is_dir():
        raise YuntuError(f"--report {path}: 没有这个文件夹 (no such folder)", f"mkdir -p {path.parent}")


def _print(result: dict[str, Any]) -> None:
    for name, value in result.items():
        if name == "by_type":
            for kind, row in value.items():
                print(f"  {kind:<20}{row['n']:>5}{row['accuracy']:>8.3f}")
        else:
            print(f"{name}: {value}")


def questions(args: argparse.Namespace, settings: Settings) -> None:
    """Writes candidate questions with their answers, made of the ledger, for a person to review."""
    from rag.evaluate import judge
    from rag.make_questions import as_row
    from rag.opening import opened

    if args.out is not None and not args.out.parent.is_dir():
        raise YuntuError(f"--out {args.out}: 没有这个文件夹 (no such folder)", f"mkdir -p {args.out.parent}")
    assistant = opened(settings, _say)
    made = assistant.questions(args.count)
    texts = {d.doc_id: d.text for d in assistant.documents()}
    rows = []
    for row in _progress([as_row(m, n) for n, m in enumerate(made, 1)]):
        judged = judge(row, assistant.ask(row["question"]), texts)
        rows.append({**row, "answered_right": judged.right, "answered_why": judged.why})
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    if args.out is None:
        sys.stdout.write(text)
    else:
        args.out.write_text(text, encoding="utf-8")
        _say(f"{len(rows)} 题写入 {args.out},逐题看过、改过、删过再用 (candidates: review them before use)")
    if len(rows) < args.count:
        _say(f"台账里只够做 {len(rows)} 题,要的是 {args.count} 题 (the ledger has no more)")


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _progress(rows: Sequence[dict[str, Any]]) -> Any:
    from tqdm import tqdm

    return tqdm(rows, desc="回答 answer", unit="问", disable=None)


def _write_lines(path: Path, rows: Sequence[dict[str, Any]], line: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """One output line per row, written as it is made."""
    with path.open("w", encoding="utf-8", errors="replace") as out:  # half a surrogate pair has no encoding
        for row in _progress(rows):
            out.write(json.dumps(line(row), ensure_ascii=False) + "\n")
