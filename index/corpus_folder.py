"""Documents into the corpus folder and out of it: `yuntu add`, `yuntu remove`.

A page becomes Markdown with front matter, and the page itself is kept in _sources/. Any other file is copied as it is
(citations name its pages and rows; Markdown and text have front matter of their own), with a sidecar that says where it
came from. What is removed moves to _removed/. Neither folder is ever read.
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
from urllib.parse import unquote, urlsplit

import yaml

from index.build import cleaned
from index.clean import FURNITURE
from index.errors import CannotAdd, DocumentMissing
from index.fetch import Fetched, fetch
from index.formats.worker import READERS, Limits
from index.load import SIDECAR, SUFFIXES, load, read_file
from index.sources import address_of
from index.values import Document

REMOVED = "_removed"
SOURCES = "_sources"
_PAGES = (".html", ".htm")
_PLAIN = (".txt", ".md")
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
        return _put(path, document, origin, corpus, dry_run=dry_run, replace=replace)  # while the file is there


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
    suffix = path.suffix.lower()
    target = corpus / (_name_for(document, path, origin) + (".md" if suffix in _PAGES else suffix))
    url = _address(document.url, origin)
    target = _free(target, url if origin else None, corpus, replace=replace)
    if not dry_run:
        corpus.mkdir(parents=True, exist_ok=True)
        about: dict[str, Any] = {
            "title": document.title,
            "publisher": document.publisher if url == document.url or not document.url else None,
            "author": document.author,
            "published": document.published,
            "url": url,
            "fetched": origin if origin != url else None,
            "retrieved": datetime.date.today().isoformat() if origin else None,
        }
        about = {key: value for key, value in about.items() if value}
        if suffix in _PAGES:
            _copy(path, corpus / SOURCES / (target.stem + suffix))
            _write(target, f"---\n{_as_yaml(about)}---\n{_without_frame(document)}")
        elif suffix in _PLAIN:
            if origin is None:
                _copy(path, target)
            else:
                _write(target, f"---\n{_as_yaml(about)}---\n\n{_inert(document.text)}")
        else:
            _write(target.with_name(target.name + SIDECAR), _as_yaml(about))
            _copy(path, target)
    return Added(target, document, len(text.readable.text), dropped, text.readable.text)


def _address(said: str | None, origin: str | None) -> str | None:
    """The address a page gives itself is believed only if it is on the site it was fetched from."""
    if origin is None:
        return said
    return said if said and address_of(said)[0] == address_of(origin)[0] else origin


def _inert(text: str) -> str:
    """Fetched text must not speak for itself: front matter in it is text."""
    return re.sub(r"\A\ufeff?---", "\\---", text)


def _free(target: Path, url: str | None, corpus: Path, *, replace: bool) -> Path:
    """Where a document may be written: over the one of the same address or file if `replace`, never over another.

    Raises: CannotAdd.
    """
    aside = {REMOVED, SOURCES}
    files = [p for p in sorted(corpus.rglob("*")) if p.is_file() and not aside & set(p.relative_to(corpus).parts)]
    same = next((p for p in files if url and p.suffix in (*_PLAIN, SIDECAR) and _is_of(p, url)), None)
    if same is not None:
        if not replace:
            raise CannotAdd(str(url), f"{same} 就是这个网址 (already there): 要换掉它请加 --replace")
        there = same.with_suffix("") if same.suffix == SIDECAR else same
        if there.suffix.lower() != target.suffix.lower():
            raise CannotAdd(str(url), f"{there} 是另一种格式 (there in another format): 请先 yuntu remove {there.stem}")
        return there
    taken = {p.stem for p in files if not p.name.lower().endswith(SIDECAR)}
    if url is None:  # a file: its name is its own
        if target.stem in taken and not (replace and target.exists()):
            raise CannotAdd(str(target), "语料里已有同名文档 (already there): 要换掉它请加 --replace")
        return target
    n, stem = 2, target.stem
    while target.stem in taken:
        target, n = target.with_name(f"{stem}-{n}{target.suffix}"), n + 1
    return target


def _is_of(path: Path, url: str) -> bool:
    head = path.read_text(encoding="utf-8", errors="replace")[:4000]
    return re.search(rf"^(?:url|fetched): ['\"]?{re.escape(url)}['\"]?\s*$", head, re.MULTILINE) is not None


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.new")
    shutil.copyfile(source, temporary)
    temporary.replace(target)


def _name_for(document: Document, path: Path, origin: str | None) -> str:
    """A file keeps its name; a page is called by its title, and what has none by its address."""
    if origin is None:
        name = path.stem
    else:
        own = document.title if document.title != path.stem else ""
        name = own or unquote(urlsplit(origin).path.rstrip("/").rpartition("/")[2]).partition(".")[0]
    name = re.sub(r"[^\w\-]+", "-", name.strip()).strip("-_.")[:_MAX_NAME].strip("-_.")
    return name if name and name.lower() != "readme" else "page"


def _without_frame(document: Document) -> str:
    """The text without what the page's structure says is not text (menus, sidebars); the rest is cleaned when read."""
    pieces = []
    at = 0
    for m in document.marked:
        pieces.append(document.text[at : m.start])
        at = m.end
    body = "".join([*pieces, document.text[at:]]).strip()
    return _inert(body) + "\n"


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
