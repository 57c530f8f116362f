"""Documents into the corpus folder and out of it: `yuntu add`, `yuntu remove`.

A page becomes Markdown with front matter. A file with pages, rows or slides is copied as it is, since citations name
them, with a sidecar that says where it came from. What is removed moves to _removed/, which is never read.
"""

import datetime
import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from index.build import cleaned
from index.clean import FURNITURE
from index.errors import CannotAdd, DocumentMissing
from index.fetch import Fetched, fetch
from index.formats.worker import READERS, Limits
from index.load import SIDECAR, SUFFIXES, load, read_file
from index.values import Document

REMOVED = "_removed"
_AS_TEXT = (".html", ".htm", ".txt", ".md")
_TYPES = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/plain": ".txt",
    "text/markdown": ".md",
    "application/pdf": ".pdf",
    "text/csv": ".csv",
    "application/epub+zip": ".epub",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
}
_MAX_NAME = 60


@dataclass(frozen=True, slots=True)
class Added:
    """What came, or would come, into the corpus."""

    path: Path
    document: Document
    kept: int  # characters
    dropped: Counter[str]  # characters, by cleaning rule
    kept_text: str


def add(
    source: str,
    corpus: Path,
    limits: Limits,
    *,
    dry_run: bool = False,
    replace: bool = False,
    allow_private: bool = False,
    get: Callable[..., Fetched] = fetch,
) -> Added:
    """One web address or file into the corpus folder.

    Args:
        dry_run: nothing is written.
        replace: a document of the same address or name gives way.
    Raises: CannotAdd, FetchFailed.
    """
    with tempfile.TemporaryDirectory() as folder:
        if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*://", source):
            got = get(source, allow_private=allow_private)
            path = Path(folder) / f"page{_suffix_of(got)}"
            path.write_bytes(got.content)
            origin: str | None = got.url
        else:
            path, origin = Path(source), None
            if "\0" in source or not path.is_file():
                raise CannotAdd(source, "没有这个文件 (no such file)")
            if not path.name.lower().endswith(SUFFIXES):
                raise CannotAdd(source, f"不认识的格式 (unknown format): 可读的有 {' '.join(SUFFIXES)}")
            if path.name.lower().endswith((".jsonl", ".jsonl.gz")):
                raise CannotAdd(source, "一个文件里有多篇,请直接放进语料目录 (many documents: copy it there yourself)")
        try:
            document = read_file(path, limits)
        except (ValueError, OSError) as e:
            raise CannotAdd(source, str(e)) from e
        return _put(path, document, origin, corpus, dry_run=dry_run, replace=replace)


def _suffix_of(got: Fetched) -> str:
    if got.content[:5] == b"%PDF-":
        return ".pdf"
    if got.content_type in _TYPES:
        return _TYPES[got.content_type]
    vague = got.content_type in ("", "application/octet-stream", "binary/octet-stream")
    named = next((s for s in READERS if vague and got.url.lower().split("?")[0].endswith(s)), None)
    if named is None:
        raise CannotAdd(got.url, f"不认识的内容 {got.content_type or '(没有说明)'} (unknown content type)")
    return named


def _put(path: Path, document: Document, origin: str | None, corpus: Path, *, dry_run: bool, replace: bool) -> Added:
    text = cleaned(document)
    dropped = Counter[str]()
    for r in text.removals:
        if r.rule in FURNITURE:
            dropped[r.rule] += r.end - r.start
    as_text = path.name.lower().endswith(_AS_TEXT)
    name = _name_for(document.title if origin else path.stem)
    target = corpus / (f"{name}.md" if as_text else name + path.suffix.lower())
    fields: dict[str, Any] = {
        "title": document.title,
        "publisher": document.publisher,
        "author": document.author,
        "published": document.published,
        "url": document.url or origin,
        "retrieved": datetime.date.today().isoformat() if origin else None,
        "keep": list(document.keep) or None,
    }
    fields = {key: value for key, value in fields.items() if value}
    if not replace:
        _refuse_twice(target, fields.get("url"), corpus)
    if not dry_run:
        corpus.mkdir(parents=True, exist_ok=True)
        if as_text:
            _write(target, f"---\n{_as_yaml(fields)}---\n{_without_frame(document)}")
        else:
            temporary = target.with_name(f".{target.name}.new")
            shutil.copyfile(path, temporary)
            _write(target.with_name(target.name + SIDECAR), _as_yaml(fields))
            temporary.replace(target)
    return Added(target, document, len(text.readable.text), dropped, text.readable.text)


def _name_for(title: str) -> str:
    name = re.sub(r"[^\w\-]+", "-", title.strip()).strip("-_.")[:_MAX_NAME].strip("-_.")
    return name if name and name.lower() != "readme" else "page"


def _refuse_twice(target: Path, url: str | None, corpus: Path) -> None:
    if target.exists():
        raise CannotAdd(str(target), "语料里已有同名文档 (already there): 要换掉它请加 --replace")
    for other in sorted(corpus.rglob("*")) if url else ():
        if other.suffix in (".md", SIDECAR) and other.is_file() and REMOVED not in other.parts:
            head = other.read_text(encoding="utf-8", errors="replace")[:4000]
            if re.search(rf"^url: ['\"]?{re.escape(str(url))}['\"]?\s*$", head, re.MULTILINE):
                raise CannotAdd(str(url), f"{other} 就是这个网址 (already there): 要换掉它请加 --replace")


def _without_frame(document: Document) -> str:
    """The text without what the page's structure says is not text (menus, sidebars); the rest is cleaned when read."""
    pieces = []
    at = 0
    for m in document.marked:
        pieces.append(document.text[at : m.start])
        at = m.end
    body = "".join([*pieces, document.text[at:]]).strip()
    return re.sub(r"\A---", "\\---", body) + "\n"


def _as_yaml(fields: dict[str, Any]) -> str:
    return str(yaml.safe_dump(fields, allow_unicode=True, sort_keys=False, width=1000))


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("w", encoding="utf-8", errors="replace") as f:
        f.write(text)
        f.flush()
        os.fsync(f.fileno())
    temporary.replace(path)


def remove(doc_id: str, corpus: Path, limits: Limits) -> Path:
    """Moves a document's file (and its sidecar) to the corpus folder's _removed/. Returns where it lies now.

    Raises: DocumentMissing; CannotAdd when it is one of many in a file.
    """
    loaded = load([corpus], limits)
    path = loaded.files.get(doc_id)
    if path is None:
        raise DocumentMissing(doc_id)
    if path.name.lower().endswith((".jsonl", ".jsonl.gz")):
        raise CannotAdd(doc_id, f"是 {path} 里的一行,请直接改那个文件 (one line of a file: edit the file)")
    folder = corpus / REMOVED
    folder.mkdir(exist_ok=True)
    target = folder / path.name
    n = 2
    while target.exists():
        target, n = folder / f"{path.stem}-{n}{path.suffix}", n + 1
    sidecar = path.with_name(path.name + SIDECAR)
    path.rename(target)
    if sidecar.exists():
        sidecar.rename(target.with_name(target.name + SIDECAR))
    return target
