"""What each command of the command line does. Heavy imports are in the functions: `yuntu --help` needs none of them."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from index.errors import IndexDamaged, IndexMissing, YuntuError
from index.settings import OFF, Settings
from index.stores.store import Store, store_of
from rag.values import Answer
from web import corpus_verbs, evaluate_verbs, key_verbs
from web.labels import Labels, place_label
from web.terminal import shown


def _rebuild(args: argparse.Namespace, settings: Settings) -> None:
    from index.build import rebuild
    from index.encode import load_encoder
    from index.engines.engine import engine_named

    with engine_named(args.engine, settings) as engine:
        done = rebuild(
            args.corpus or [settings.corpus],
            settings,
            partial(load_encoder, settings.for_workers()),  # it may be sent to another machine
            full=args.full,
            strict=args.strict,
            engine=engine,
        )
    for where, encoding in done.loaded.encodings:
        _say(f"{where}: 编码 {encoding}")
    for u in done.loaded.notes:
        _say(f"注意 (note) {u.where}: {u.why}")
    for u in done.loaded.unreadable:
        _say(f"跳过 (skipped) {u.where}: {u.why}")
    if done.loaded.ignored:
        suffixes = Counter(Path(name).suffix or Path(name).name for name in done.loaded.ignored)
        _say(f"没有读 (formats not read): {'、'.join(f'{s} {n} 个' for s, n in suffixes.most_common())}")
    if done.loaded.unreadable:
        _say(f"共 {len(done.loaded.unreadable)} 处读不了,其余已建入索引 (the rest is indexed)")
    state = "没有变化 (unchanged)" if done.unchanged else f"沿用 {done.reused} 篇的向量 (reused)"
    print(f"{done.version}: {done.documents} 篇 {done.passages} 段,{state},{done.took_s:.1f} 秒")


def _assistant(settings: Settings, *, read: bool = True) -> Any:
    """`read`: with the reader, unless it is switched off; searching alone needs none."""
    from rag.opening import opened

    return opened(settings, _say, read=read)


def _say_if_unread(settings: Settings) -> None:
    """What is lost when someone switched the reader off."""
    if settings.reader == OFF:
        _say("阅读器已关:没有提炼的答语,答错和错拒更多 (reader off: no short answer, more wrong answers and refusals)")


def _ask(args: argparse.Namespace, settings: Settings) -> None:
    assistant = _assistant(settings)
    if args.format in ("md", "docx"):
        from web.exports.conversation import asked_through
        from web.exports.forms import exported

        answers = asked_through(lambda one, before: assistant.ask(one, before, args.lang), args.question, args.turn)
        _write(args.out, exported(answers, args.format).content)
        return
    answer = assistant.ask(args.question, args.turn, args.lang)
    if args.format == "json":
        _write(args.out, json.dumps(answer.as_json(), ensure_ascii=False, indent=1) + "\n")
        return
    _say_if_unread(settings)
    if answer.understood_as != args.question:
        _say(shown(f"按「{answer.understood_as}」理解"))
    if answer.notice:
        _say(Labels(answer.lang)(f"notice.{answer.notice}"))
    _write(args.out, shown(printed(answer)) + "\n")


def printed(answer: Answer) -> str:
    """An answer as the terminal shows it: the text, then every citation with its place and its words."""
    lines = [answer.text]
    for c in answer.citations:
        date = c.published or "日期不详"
        kind = "(摘要,非原文)" if c.source_kind == "digest" else ""
        place = f" {place_label(c.place, 'zh-Hans')}" if c.place else ""
        lines += [
            f"[{c.marker}] {c.publisher or ''}《{c.title}》{date}{kind}{place} {c.doc_id}:{c.start}-{c.end}",
            f"    {c.quote}",
        ]
        if c.also_in:
            lines.append(f"    同文还见于 (also in): {'、'.join(s.publisher or f'《{s.title}》' for s in c.also_in)}")
    return "\n".join(lines)


def _search(args: argparse.Namespace, settings: Settings) -> None:
    for n, hit in enumerate(_assistant(settings, read=False).search(args.query, args.top_k), 1):
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
            print(
                shown(f"{n}. {p.passage_id}") + f" {hit.score:.3f} (dense {hit.dense:.3f}, lexical {hit.lexical:.1f})"
            )
            print(shown(f"   {p.text.strip()}\n"))


def _serve(args: argparse.Namespace, settings: Settings) -> None:
    from web.serving import Door, serve

    _say_if_unread(settings)
    serve(settings, Door(args.host, args.port, args.workers, args.insecure), _assistant, _say)


def _mcp(args: argparse.Namespace, settings: Settings) -> None:
    from web.mcp_verb import serve_stdio

    _say_if_unread(settings)
    serve_stdio(settings, _assistant)


def _feedback(args: argparse.Namespace, settings: Settings) -> None:
    from web.feedback import read

    rows = [r for r in read(settings.feedback) if args.verdict in (None, r.get("verdict"))]
    for r in rows:
        if args.json:
            print(json.dumps(r, ensure_ascii=False))
        else:
            mark = {"up": "+", "down": "-"}.get(str(r.get("verdict")), "?")
            asked = " → ".join([*map(str, r.get("turns", [])), str(r.get("question"))])
            print(_line(f"{mark} {r.get('at', '')} {r.get('index_version', '')} {asked}"))
            if r.get("note"):
                print(_line(f"    {r['note']}"))
    if not args.json:
        counts = Counter(r.get("verdict") for r in rows)
        _say(f"{settings.feedback}: 有用 {counts['up']},有问题 {counts['down']} (helpful, not right)")


def _write(out: Path | None, content: str | bytes) -> None:
    """To a file, or to stdout."""
    if out is not None:
        out.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "replace"))
        _say(f"写好了 (written): {out}")
    elif isinstance(content, str):
        sys.stdout.write(content)
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)


def _line(text: str) -> str:
    """One line: whoever reaches the page may have written it."""
    return shown(" ".join(text.splitlines()))


def _figures(args: argparse.Namespace, settings: Settings) -> None:
    from rag.ledger import FIELDS, as_row, matching
    from web.spreadsheet import as_csv, as_xlsx

    opened = store_of(settings).open_sound(_say)
    found = matching(opened.figures, subject=args.subject, attribute=args.attribute, period=args.period, doc=args.doc)
    rows = [as_row(f, opened.documents[f.doc_id]) for f in found]
    if args.format == "xlsx":
        _write(args.out, as_xlsx(rows, FIELDS))
    elif args.format == "csv":
        _write(args.out, as_csv(rows, FIELDS))
    elif args.format == "json":
        _write(args.out, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    else:
        _write(args.out, "".join(_tabbed(row) + "\n" for row in rows))


def _tabbed(row: dict[str, Any]) -> str:
    what = [
        row["subject"] or "(未写明)",
        row["attribute"] or "(未写明)",
        f"{row['hedge'] or ''} {row['value']}".strip(),
    ]
    about = [row[name] or "-" for name in ("as_of", "scope", "said_by")]
    return "\t".join(_line(cell) for cell in (*what, *about, f"{row['doc']}:{row['start']}-{row['end']}"))


def _lexicon(args: argparse.Namespace, settings: Settings) -> None:
    if args.action == "learned":
        for group in store_of(settings).open_sound(_say).names:
            print("\t".join(map(_line, group)))
        return
    from index.errors import LexiconFaulty
    from index.lexicon_check import FILES, problems

    if found := problems():
        print("\n".join(found))
        raise LexiconFaulty(len(found))
    print(f"{len(FILES)} 个词表都没有问题 (all sound)")


def _index(args: argparse.Namespace, settings: Settings) -> None:
    store = store_of(settings)
    versions = store.versions()
    if not versions:
        raise IndexMissing(settings.store or settings.index)
    try:
        current = store.current()
    except YuntuError as e:  # which is when somebody needs these two
        _say(str(e))
        current = "?"
    if args.action == "list":
        for version in versions:
            mark = "*" if version == current else " "
            try:
                counts = store.manifest(version)["counts"]
                print(f"{mark} {version}  {counts['documents']} 篇 {counts['passages']} 段")
            except YuntuError as e:
                print(f"{mark} {version}  {e.message}")
        return
    if args.version is not None and args.version not in versions:
        raise YuntuError(f"没有版本 {args.version} (no such version)。", "yuntu index list 列出全部版本")
    if args.action == "verify":
        _verify(store, [args.version] if args.version else versions, current)
        return
    store.roll_back(args.version)
    print(f"{current} → {args.version}")


def _verify(store: Store, versions: Sequence[str], current: str) -> None:
    """A line for each version. Raises: what is damaged, the current version first; other formats are only told of."""
    wrong: dict[str, YuntuError] = {}
    for version in versions:
        try:
            store.verify(version)
        except YuntuError as e:
            wrong[version] = e
        mark = "*" if version == current else " "
        print(f"{mark} {version}: {wrong[version].message if version in wrong else '完好 (sound)'}")
    if current not in store.versions():
        store.open(store.current())  # raises: it is none of them
    for version in sorted(wrong, key=lambda v: v != current):
        if version == current or len(versions) == 1 or isinstance(wrong[version], IndexDamaged):
            raise wrong[version]


VERBS: dict[str, Callable[[argparse.Namespace, Settings], None]] = {
    "rebuild": _rebuild,
    "ask": _ask,
    "batch": evaluate_verbs.batch,
    "search": _search,
    "run": evaluate_verbs.run,
    "evaluate": evaluate_verbs.evaluate,
    "questions": evaluate_verbs.questions,
    "figures": _figures,
    "serve": _serve,
    "mcp": _mcp,
    "feedback": _feedback,
    "lexicon": _lexicon,
    "audit": corpus_verbs.audit,
    "add": corpus_verbs.add,
    "remove": corpus_verbs.remove,
    "coverage": corpus_verbs.coverage,
    "index": _index,
    "keys": key_verbs.keys,
}


def _say(text: str) -> None:
    print(text, file=sys.stderr)
