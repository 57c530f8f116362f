"""The command line: results on stdout, progress and errors on stderr; exit 0 done, 1 to be fixed, 2 wrong usage."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from index import snapshot
from index.errors import IndexMissing, YuntuError
from index.settings import Settings
from rag.values import Answer

_EXAMPLES = {
    "rebuild": "yuntu rebuild\n  yuntu rebuild --corpus corpus --corpus ~/reports --strict",
    "ask": "yuntu ask 2025年上半年火山引擎的份额是多少\n  yuntu ask 那阿里云呢 --turn 火山引擎的份额是多少 --json",
    "batch": "yuntu batch questions.jsonl --out answers.jsonl",
    "search": "yuntu search 豆包日均调用量 --top-k 5",
    "run": "yuntu run queries.jsonl --out run.jsonl --top-k 10",
    "evaluate": "yuntu evaluate questions.jsonl --json",
    "serve": "yuntu serve --port 8000",
    "audit": "yuntu audit --corpus corpus",
    "index": "yuntu index list\n  yuntu index rollback v-1a2b3c4d5e6f",
}


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog="yuntu",
        description="云图问答: 从语料里回答中国 AI 云、大模型与 AI 电商图市场的问题,句句有出处。",
        epilog="每个子命令都有例子: yuntu ask --help",
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="COMMAND")

    def verb(name: str, what: str) -> argparse.ArgumentParser:
        return verbs.add_parser(
            name,
            help=what,
            description=what,
            epilog=f"例 (examples):\n  {_EXAMPLES[name]}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    def with_index(p: argparse.ArgumentParser) -> argparse.ArgumentParser:
        p.add_argument("--index", type=Path, metavar="DIR", help="索引目录 (default: YUNTU_INDEX or var/index)")
        return p

    p = with_index(verb("rebuild", "读语料,建索引并切换过去 (build the index and switch to it)"))
    p.add_argument(
        "--corpus",
        type=Path,
        action="append",
        metavar="PATH",
        help="文件夹、文件或 .jsonl[.gz],可重复 (default: corpus)",
    )
    p.add_argument("--full", action="store_true", help="全部重新编码 (encode everything again)")
    p.add_argument("--strict", action="store_true", help="有读不了的文件就不切换,退出码 1 (fail on unreadable files)")

    p = with_index(verb("ask", "问一个问题 (ask one question)"))
    p.add_argument("question", metavar="QUESTION")
    p.add_argument(
        "--turn", action="append", default=[], metavar="EARLIER_QUESTION", help="前面问过的问题,可重复,从早到晚"
    )
    p.add_argument("--json", action="store_true", help="输出完整的 Answer")
    p.add_argument(
        "--lang", default="auto", choices=["auto", "zh-Hans", "zh-Hant", "en"], help="回答的语言 (default: auto)"
    )

    p = with_index(verb("batch", "批量回答 (answer a file of questions)"))
    p.add_argument("questions", type=Path, metavar="QUESTIONS.jsonl")
    p.add_argument("--out", type=Path, required=True, metavar="ANSWERS.jsonl")

    p = with_index(verb("search", "检索段落 (find passages)"))
    p.add_argument("query", metavar="QUERY")
    p.add_argument("--top-k", type=int, default=5, metavar="N")
    p.add_argument("--json", action="store_true")

    p = with_index(verb("run", "批量检索,给评测用 (rank passages for a file of queries)"))
    p.add_argument("queries", type=Path, metavar="QUERIES.jsonl")
    p.add_argument("--out", type=Path, required=True, metavar="RUN.jsonl")
    p.add_argument("--top-k", type=int, default=10, metavar="N")

    p = with_index(verb("evaluate", "用有标准答案的问题打分 (score answers against known ones)"))
    p.add_argument("questions", type=Path, metavar="QUESTIONS.jsonl")
    p.add_argument("--json", action="store_true")

    p = with_index(verb("serve", "启动网页和接口 (serve the chat page and the API)"))
    p.add_argument("--host", default="127.0.0.1")
    p.add_argument("--port", type=int, default=8000)

    p = verb("audit", "列出清洗去掉或修补了什么 (what cleaning dropped or repaired, and why)")
    p.add_argument("--corpus", type=Path, action="append", metavar="PATH")
    p.add_argument("--json", action="store_true")

    p = with_index(verb("index", "查看、校验、回退索引版本 (list, verify or roll back versions)"))
    p.add_argument("action", choices=["list", "verify", "rollback"])
    p.add_argument("version", nargs="?", metavar="VERSION")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command. Returns the exit status."""
    for stream in (sys.stdout, sys.stderr):  # Chinese goes out whatever the locale says
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    parser = build_parser()
    args = parser.parse_args(argv)
    if getattr(args, "top_k", 1) < 1:
        parser.error("--top-k 至少是 1")
    if not 0 <= getattr(args, "port", 0) < 65536:
        parser.error("--port 要在 0 到 65535 之间")
    if args.verb == "index" and (args.action == "rollback") != (args.version is not None):
        parser.error("rollback 要写版本名 (needs VERSION),list 和 verify 不要")
    try:
        settings = Settings.from_env(os.environ)
        if getattr(args, "index", None) is not None:
            settings = settings.model_copy(update={"index": args.index})
        _VERBS[args.verb](args, settings)
        sys.stdout.flush()  # a full disk or a closed pipe shows here
    except BrokenPipeError:  # `yuntu audit | head`: whoever read has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except YuntuError as e:
        print(f"yuntu: {e}", file=sys.stderr)
        return 1
    except OSError as e:
        print(": ".join(["yuntu", *([str(e.filename)] if e.filename else []), e.strerror or str(e)]), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("yuntu: 已中断,索引没有变 (interrupted)", file=sys.stderr)
        return 130
    return 0


# --- the verbs -----------------------------------------------------------------------------------------------------


def _rebuild(args: argparse.Namespace, settings: Settings) -> None:
    from index.build import rebuild
    from index.encode import load_encoder

    done = rebuild(
        args.corpus or [settings.corpus],
        settings,
        lambda: load_encoder(settings, progress=True),
        full=args.full,
        strict=args.strict,
    )
    for where, encoding in done.loaded.encodings:
        _say(f"{where}: 编码 {encoding}")
    for u in done.loaded.unreadable:
        _say(f"跳过 (skipped) {u.where}: {u.why}")
    if done.loaded.unreadable:
        _say(f"共 {len(done.loaded.unreadable)} 处读不了,其余已建入索引 (the rest is indexed)")
    state = "没有变化 (unchanged)" if done.unchanged else f"沿用 {done.reused} 篇的向量 (reused)"
    print(f"{done.version}: {done.documents} 篇 {done.passages} 段,{state},{done.took_s:.1f} 秒")


def _assistant(settings: Settings) -> Any:
    from index.encode import load_encoder
    from rag.assistant import Assistant

    opened = snapshot.open_current(settings.index)  # before the encoder: no index is the commoner trouble
    return Assistant(opened, load_encoder(settings), settings)


def _ask(args: argparse.Namespace, settings: Settings) -> None:
    answer = _assistant(settings).ask(args.question, args.turn, args.lang)
    if args.json:
        print(json.dumps(answer.as_json(), ensure_ascii=False, indent=1))
        return
    if answer.understood_as != args.question:
        _say(f"按「{answer.understood_as}」理解")
    print(printed(answer))


def printed(answer: Answer) -> str:
    """An answer as the terminal shows it: the text, then every citation with its place and its words."""
    lines = [answer.text]
    for c in answer.citations:
        date = c.published or "日期不详"
        kind = "(摘要,非原文)" if c.source_kind == "digest" else ""
        lines += [
            f"[{c.marker}] {c.publisher or ''}《{c.title}》{date}{kind} {c.doc_id}:{c.start}-{c.end}",
            f"    {c.quote}",
        ]
    return "\n".join(lines)


def _batch(args: argparse.Namespace, settings: Settings) -> None:
    from rag.evaluate import read_questions

    questions = read_questions(args.questions)
    assistant = _assistant(settings)

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


def _search(args: argparse.Namespace, settings: Settings) -> None:
    for n, hit in enumerate(_assistant(settings).search(args.query, args.top_k), 1):
        p = hit.passage
        if args.json:
            row = {
                "passage": p.passage_id,
                "doc": p.doc_id,
                "start": p.start,
                "end": p.end,
                "score": hit.score,
                "dense": hit.dense,
            }
            print(json.dumps({**row, "lexical": hit.lexical, "text": p.text.strip()}, ensure_ascii=False))
        else:
            print(f"{n}. {p.passage_id} {hit.score:.3f} (dense {hit.dense:.3f}, lexical {hit.lexical:.1f})")
            print(f"   {p.text.strip()}\n")


def _run(args: argparse.Namespace, settings: Settings) -> None:
    from rag.evaluate import read_questions

    queries = read_questions(args.queries)
    assistant = _assistant(settings)

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


def _evaluate(args: argparse.Namespace, settings: Settings) -> None:
    from rag.evaluate import judge, read_questions, summary

    questions = read_questions(args.questions)
    assistant = _assistant(settings)
    texts = {d.doc_id: d.text for d in assistant.documents()}
    judged = [judge(q, assistant.ask(q["question"], q.get("turns") or []), texts) for q in _progress(questions)]
    result = summary(judged)
    if args.json:
        print(
            json.dumps(
                {**result, "failures": [{"id": j.id, "type": j.type, "why": j.why} for j in judged if not j.right]},
                ensure_ascii=False,
            )
        )
        return
    for name, value in result.items():
        if name == "by_type":
            for kind, row in value.items():
                print(f"  {kind:<20}{row['n']:>5}{row['accuracy']:>8.3f}")
        else:
            print(f"{name}: {value}")


def _serve(args: argparse.Namespace, settings: Settings) -> None:
    import uvicorn

    from web.app import create_app

    assistant = _assistant(settings)
    assistant.search("预热", 1)  # the first question would wait 1-2 s for the dictionary and the model's first run
    app = create_app(assistant)
    _say(f"http://{args.host}:{args.port}")
    uvicorn.run(app, host=args.host, port=args.port, log_level="warning", server_header=False)


def _audit(args: argparse.Namespace, settings: Settings) -> None:
    from index.clean import clean
    from index.load import load

    loaded = load(args.corpus or [settings.corpus])
    for u in loaded.unreadable:
        _say(f"跳过 (skipped) {u.where}: {u.why}")
    for document in loaded.documents:
        for r in clean(document.text, document.keep).removals:
            text = document.text[r.start : r.end]
            if args.json:
                row = {
                    "doc": document.doc_id,
                    "rule": r.rule,
                    "start": r.start,
                    "end": r.end,
                    "text": text,
                    "replacement": r.replacement,
                }
                print(json.dumps(row, ensure_ascii=False))
            elif text.strip():
                print(f"{document.doc_id}\t{r.rule}\t{r.start}-{r.end}\t{text.strip()[:80]!r}")


def _index(args: argparse.Namespace, settings: Settings) -> None:
    root = settings.index
    if args.action == "verify":
        current = snapshot.current_version(root)
        snapshot.verify(root, current)
        print(f"{current}: 完好 (sound)")
        return
    versions = snapshot.versions(root)
    if not versions:
        raise IndexMissing(root)
    try:
        current = snapshot.current_version(root)
    except YuntuError as e:  # which is when somebody needs these two
        _say(str(e))
        current = "?"
    if args.action == "list":
        for version in versions:
            mark = "*" if version == current else " "
            try:
                counts = snapshot.manifest_of(root, version)["counts"]
                print(f"{mark} {version}  {counts['documents']} 篇 {counts['passages']} 段")
            except YuntuError as e:
                print(f"{mark} {version}  {e.message}")
        return
    if args.version not in versions:
        raise YuntuError(f"没有版本 {args.version} (no such version)。", "yuntu index list 列出全部版本")
    with snapshot.writer_lock(root):
        snapshot.verify(root, args.version)
        snapshot.switch(root, args.version)
    print(f"{current} → {args.version}")


_VERBS: dict[str, Callable[[argparse.Namespace, Settings], None]] = {
    "rebuild": _rebuild,
    "ask": _ask,
    "batch": _batch,
    "search": _search,
    "run": _run,
    "evaluate": _evaluate,
    "serve": _serve,
    "audit": _audit,
    "index": _index,
}


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


if __name__ == "__main__":
    sys.exit(main())
