"""Files → Documents: which files, in which encoding, with which metadata. What cannot be read is named, never fatal."""

import codecs
import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import charset_normalizer

from index.byline import Byline, byline_of
from index.clean import RULES, clean
from index.errors import CorpusUnreadable
from index.front_matter import front_matter_of
from index.script import language_of
from index.values import LANGS, SOURCE_KINDS, Document

SUFFIXES = (".md", ".txt", ".html", ".htm", ".jsonl", ".jsonl.gz")
_FIRST_WORDS = 30  # characters of the text that stand in for a missing title


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file, or a line of one, that was left out, and why."""

    where: str
    why: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the corpus holds, what of it could not be read, and which files were not UTF-8."""

    documents: tuple[Document, ...]
    unreadable: tuple[Unreadable, ...]
    encodings: tuple[tuple[str, str], ...]  # (file, encoding) where it is not plain UTF-8


def decode(raw: bytes) -> tuple[str, str]:
    """The text of `raw` and the name of its encoding: UTF-8, else what a detector finds.

    UTF-8's byte order mark stays in the text as its first character, so that offsets count what a plain reading gives.

    Raises: ValueError when the bytes are no text (NUL bytes, no encoding fits).
    """
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16"), "utf-16"
    if b"\0" in raw:
        raise ValueError("不是文本文件 (binary)")
    try:
        return raw.decode("utf-8"), "utf-8 (BOM)" if raw.startswith(codecs.BOM_UTF8) else "utf-8"
    except UnicodeDecodeError:
        pass
    candidates = []
    for encoding in ("gb18030", "big5hkscs"):
        try:
            candidates.append((raw.decode(encoding), encoding))
        except UnicodeDecodeError:
            continue
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        # Both fit: the right reading is the one with more everyday characters (the wrong one gives rare ones).
        return max(candidates, key=lambda c: _everyday(c[0]))
    best = charset_normalizer.from_bytes(raw).best()
    if best is None:
        raise ValueError("认不出编码 (unknown encoding)")
    return str(best), best.encoding


def _everyday(text: str) -> float:
    """Share of the non-ASCII characters that GB2312's or Big5's first, frequent level holds."""
    others = [c for c in text if ord(c) > 127]

    def frequent(c: str) -> bool:
        gb, big5 = c.encode("gb2312", "ignore"), c.encode("big5", "ignore")
        return b"\xa1" <= gb[:1] <= b"\xd7" or b"\xa1" <= big5[:1] <= b"\xc6"

    return sum(map(frequent, others)) / max(1, len(others))


def corpus_files(paths: Sequence[Path]) -> list[Path]:
    """The files to read, in a fixed order; README.md and names that start with . or _ are not documents.

    Raises: CorpusUnreadable when a path does not exist or nothing is to be read.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(
                p
                for p in path.rglob("*")
                if p.is_file()
                and p.name.lower().endswith(SUFFIXES)
                and p.name.lower() != "readme.md"
                and not any(part.startswith((".", "_")) for part in p.relative_to(path).parts)
            )
        elif path.is_file():
            found.append(path)
        else:
            raise CorpusUnreadable(f"没有 {path} (no such file or folder)。", "请检查 --corpus")
    if not found:
        names = ", ".join(map(str, paths))
        raise CorpusUnreadable(f"{names} 里没有可读的文档。", f"可读的格式: {' '.join(SUFFIXES)}")
    return list(dict.fromkeys(found))


def load(paths: Sequence[Path]) -> Loaded:
    """Reads every document under `paths`. Two documents with one id: the later one gets a number behind it."""
    documents: dict[str, Document] = {}
    unreadable: list[Unreadable] = []
    encodings: list[tuple[str, str]] = []
    for path in corpus_files(paths):
        try:
            raw = path.read_bytes()
            if path.name.lower().endswith(".gz"):
                raw = gzip.decompress(raw)
            text, encoding = decode(raw)
            if encoding != "utf-8":
                encodings.append((str(path), encoding))
            found = list(_documents(path, text, unreadable))
        except (OSError, EOFError, ValueError, zlib.error) as e:
            unreadable.append(Unreadable(str(path), str(e) or type(e).__name__))
            continue
        for document in found:
            doc_id = document.doc_id
            n = 2
            while doc_id in documents:
                doc_id, n = f"{document.doc_id}-{n}", n + 1
            documents[doc_id] = replace(document, doc_id=doc_id)
    return Loaded(tuple(documents.values()), tuple(unreadable), tuple(encodings))


def _documents(path: Path, text: str, unreadable: list[Unreadable]) -> Iterator[Document]:
    name = path.name.lower()
    if not text.removeprefix("\ufeff").strip():
        raise ValueError("空文件 (empty)")
    if name.endswith((".jsonl", ".jsonl.gz")):
        yield from _json_lines(path, text, unreadable)
    elif name.endswith((".html", ".htm")):
        yield _web_page(path.stem, text)
    else:
        yield _plain(path.stem, text)


def _plain(doc_id: str, text: str) -> Document:
    block = front_matter_of(text)
    fields, end = block if block else ({}, 0)
    byline = byline_of(text[end:])
    return _document(doc_id, text, {**_known(byline), **_known(fields)}, body=text[end:])


def _web_page(doc_id: str, html: str) -> Document:
    import trafilatura  # slow to import, and most corpora have no web page

    page = trafilatura.bare_extraction(
        html, output_format="python", with_metadata=True, include_tables=True, favor_recall=True
    )
    if page is None or not (page.text or "").strip():
        raise ValueError("网页里没有正文 (no main text in the page)")
    fields = {
        "title": page.title,
        "publisher": page.sitename,
        "author": page.author,
        "published": page.date,
        "url": page.url,
    }
    return _document(doc_id, page.text, _known(fields), body=page.text)


def _json_lines(path: Path, text: str, unreadable: list[Unreadable]) -> Iterator[Document]:
    for n, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if "\\ud" in line.lower():  # an escaped surrogate pair may be cut in half: no encoding can write that
                row = json.loads(json.dumps(row, ensure_ascii=False).encode("utf-8", "replace"))
            body = row["text"]
            if not isinstance(body, str) or not body.strip():
                raise ValueError("text 为空 (empty text)")
            doc_id = row.get("id")
            doc_id = f"{path.stem}-{n}" if doc_id in (None, "") else str(doc_id)
            yield _document(doc_id, body, _known(row), body=body)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as e:
            unreadable.append(Unreadable(f"{path}:{n}", f"{type(e).__name__}: {e}"))


_FIELDS = ("title", "publisher", "author", "published", "url", "lang", "source_kind", "keep", "examples")


def _known(source: dict[str, Any] | Byline) -> dict[str, Any]:
    fields = source if isinstance(source, dict) else asdict(source)
    return {name: value for name in _FIELDS if (value := fields.get(name)) not in (None, "")}


def _document(doc_id: str, text: str, fields: dict[str, Any], *, body: str) -> Document:
    def text_of(name: str) -> str | None:
        return str(fields.get(name, "")).strip() or None

    def texts_of(name: str) -> tuple[str, ...]:
        value = fields.get(name, ())
        if not isinstance(value, str | list | tuple):
            raise ValueError(f"{name} {value!r}: 要是一个列表 (not a list)")
        return (value,) if isinstance(value, str) else tuple(map(str, value))

    title = text_of("title")
    if title is None:
        first = next((line for line in clean(body).readable.text.splitlines() if line), doc_id)
        title = first if len(first) <= _FIRST_WORDS else first[:_FIRST_WORDS] + "…"
    kind = str(fields.get("source_kind", "press"))
    if kind not in SOURCE_KINDS:
        raise ValueError(f"source_kind {kind!r}: 只能是 {', '.join(SOURCE_KINDS)}")
    keep = texts_of("keep")
    if unknown := set(keep) - set(RULES):
        raise ValueError(f"keep {', '.join(sorted(unknown))}: 只能是 {', '.join(RULES)}")
    lang = text_of("lang")

    return Document(
        doc_id=doc_id,
        title=title,
        text=text,
        publisher=text_of("publisher"),
        author=text_of("author"),
        published=text_of("published"),
        url=text_of("url"),
        lang=lang if lang in LANGS else language_of(body[:5000]),
        source_kind=kind,
        keep=keep,
        examples=texts_of("examples"),
    )
