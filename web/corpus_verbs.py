"""The commands that look after the corpus: audit, add, remove, coverage. Heavy imports are in the functions."""

import argparse
import json
import sys
from typing import Any

from index.errors import YuntuError
from index.settings import Settings
from index.values import Document, Removal
from web.labels import Labels
from web.terminal import shown

SHOWN = 3  # lines of what is kept
_CHARS = 60  # of each


def audit(args: argparse.Namespace, settings: Settings) -> None:
    """What cleaning dropped or repaired in each document, and why; where each comes from; which are one text."""
    from index.audit import findings
    from index.build import cleaned_corpus, rules_kept
    from index.load import limits_of, load

    loaded = load(args.corpus or [settings.corpus], limits_of(settings))
    for u in loaded.unreadable:
        _say(f"跳过 (skipped) {u.where}: {u.why}")
    for u in loaded.notes:
        _say(f"注意 (note) {u.where}: {u.why}")
    for name in loaded.ignored:
        _say(f"没有读 (format not read) {name}")
    texts, reprints = cleaned_corpus(loaded.documents, rules_kept(settings))
    words = Labels("zh-Hans")
    wanted = [d for d in loaded.documents if not args.doc or d.doc_id.startswith(args.doc)]
    if args.doc and not wanted:
        raise YuntuError(f"语料里没有文档 {args.doc!r} (no such document)。", "yuntu audit 列出全部文档")
    for document in wanted:
        removals = [r for r in texts[document.doc_id].removals if not args.rule or r.rule == args.rule]
        if args.json:
            for r in removals:
                print(json.dumps(removal_row(document, r), ensure_ascii=False))
            continue
        kept = len(texts[document.doc_id].readable.text)
        about = [document.publisher or "发布者不详", document.published or "日期不详"]
        print(shown(f"{document.doc_id}《{document.title}》{' '.join(about)} · 留 {kept}/{len(document.text)} 字"))
        print(shown(f"    来源 {words('source.' + document.source_kind)}: {document.kind_reason or '文首写明'}"))
        for f in findings(document, removals):
            where = f"{f.start}-{f.end}" if f.times == 1 else f"{f.times} 处"
            said = shown("  ".join(t[:_CHARS] for t in f.texts))
            print(f"    {words('rule.' + f.rule)} ({f.rule}) {where}: {said}".rstrip(": "))
    if not args.json:
        for group in reprints:
            print(shown(f"同一篇 (one text): {' = '.join(group)}"))
        _say("要留住某条规则去掉的: 在文首 (或 文件名.yaml) 写 keep: [规则名]; 全部文档: YUNTU_KEEP=规则名")


def removal_row(document: Document, removal: Removal) -> dict[str, Any]:
    """One removal as JSON."""
    return {
        "doc": document.doc_id,
        "rule": removal.rule,
        "start": removal.start,
        "end": removal.end,
        "text": document.text[removal.start : removal.end],
        "replacement": removal.replacement,
    }


def add(args: argparse.Namespace, settings: Settings) -> None:
    """Web addresses and files into the corpus folder; each is shown, and one that fails does not stop the others."""
    from index.corpus_folder import add as add_one
    from index.load import limits_of

    failed = 0
    for source in args.source:
        try:
            added = add_one(
                source,
                args.corpus or settings.corpus,
                limits_of(settings),
                dry_run=args.dry_run,
                replace=args.replace,
                allow_private=args.allow_private,
            )
        except YuntuError as e:
            _say(str(e))
            failed += 1
            continue
        d = added.document
        kind = Labels("zh-Hans")("source." + d.source_kind)
        print(shown(f"{added.path}{' (未写入 dry run)' if args.dry_run else ''}"))
        about = f"{d.publisher or '发布者不详'} {d.published or '日期不详'}"
        print(shown(f"    《{d.title}》 {about} · {kind}: {d.kind_reason}"))
        dropped = "、".join(f"{Labels('zh-Hans')('rule.' + rule)} {n} 字" for rule, n in added.dropped.most_common())
        print(f"    留 {added.kept} 字" + (f",去掉 {dropped}" if dropped else ""))
        for line in [line for line in added.kept_text.splitlines() if line.strip()][:SHOWN]:
            print(f"    | {shown(line.strip()[:_CHARS])}")
    if failed < len(args.source) and not args.dry_run:
        _say("接着运行 (next): yuntu rebuild")
    if failed:
        raise YuntuError(f"{failed} 个没有加进来 (not added)。", "原因见上")


def remove(args: argparse.Namespace, settings: Settings) -> None:
    """A document out of the corpus folder; its file is kept aside."""
    from index.corpus_folder import remove as remove_one
    from index.load import limits_of

    moved = remove_one(args.doc, args.corpus or settings.corpus, limits_of(settings))
    print(shown(str(moved)))
    _say("移到了上面的位置,不再读它; 接着运行 (next): yuntu rebuild")


def coverage(args: argparse.Namespace, settings: Settings) -> None:
    """Which subjects, measures and periods the index holds figures of, and which it does not."""
    from index.aliases import known_names
    from index.stores.store import store_of
    from rag.coverage import coverage as covered

    opened = store_of(settings).open_sound(_say)
    with known_names(opened.names):
        found = covered(opened.figures, subject=args.subject, most=args.most)
    if args.json:
        for cell in found.cells:
            row = {"subject": cell.subject, "measure": cell.measure, "periods": dict(cell.periods)}
            print(json.dumps(row, ensure_ascii=False))
        for subject, measure in found.missing:
            print(json.dumps({"subject": subject, "measure": measure, "periods": {}}, ensure_ascii=False))
        return
    if not found.cells:
        raise YuntuError("没有这样的数字 (no such figures)。", "yuntu figures 列出全部数字")
    for subject in found.subjects:
        print(shown(subject))
        for cell in found.cells:
            if cell.subject == subject:
                periods = "、".join(f"{p or '时间不详'}{f'×{n}' if n > 1 else ''}" for p, n in cell.periods)
                print(f"    {shown(cell.measure)}\t{shown(periods)}")
        if absent := [measure for who, measure in found.missing if who == subject]:
            print(shown(f"    没有 (none): {'、'.join(absent)}"))


def _say(text: str) -> None:
    print(shown(text), file=sys.stderr)
