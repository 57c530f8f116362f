"""Files → Documents: which files, read by whom, with which metadata. What cannot be read is named, never fatal."""

import gzip
import io
import json
import os
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from index.byline import Byline, byline_of
from index.clean import RULES, clean
from index.decode import decode
from index.errors import CorpusUnreadable
from index.formats.extracted import Extracted
from index.formats.worker import READERS, Limits, Worker, wrong_format
from index.front_matter import MAX_BLOCK, fields_in, front_matter_of
from index.script import language_of
from index.settings import Settings
from index.sources import kind_of
from index.unseen import visible
from index.values import LANGS, SOURCE_KINDS, Document

TEXT_SUFFIXES = (".md", ".txt", ".jsonl", ".jsonl.gz")
SUFFIXES = (*TEXT_SUFFIXES, *READERS)
SIDECAR = ".yaml"  # report.pdf.yaml holds what front matter would, for a format that has none
MAX_DOCUMENT_CHARS = 1_000_000  # a thick book; cleaning and reading a longer one takes minutes
_TABLES = (".xlsx", ".csv")
_FIRST_WORDS = 30  # characters of the text that stand in for a missing title
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


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
    ignored: tuple[str, ...] = ()  # files of formats that are not read
    files: dict[str, Path] = field(default_factory=dict)  # doc_id → the file it came from
    notes: tuple[Unreadable, ...] = ()  # parts of files that were read that could not be


@dataclass(frozen=True, slots=True)
class CorpusFiles:
    """The files under some paths."""

    read: tuple[Path, ...]
    ignored: tuple[Path, ...]  # of other formats
    refused: tuple[Unreadable, ...]  # links that lead out of the corpus or round in it


def corpus_files(paths: Sequence[Path]) -> CorpusFiles:
    """The files to read, in a fixed order; README.md and names that start with . or _ are not documents.

    Raises: CorpusUnreadable when a path does not exist or nothing is to be read.
    """
    found: list[Path] = []
    ignored: list[Path] = []
    refused: list[Unreadable] = []
    for path in paths:
        if path.is_dir():
            inside, others, out = _under(path)
            found += inside
            ignored += others
            refused += out
        elif path.is_file():
            found.append(path)
        else:
            raise CorpusUnreadable(f"没有 {path} (no such file or folder)。", "请检查 --corpus")
    if not found:
        names = ", ".join(map(str, paths))
        raise CorpusUnreadable(f"{names} 里没有可读的文档。", f"可读的格式: {' '.join(SUFFIXES)}")
    return CorpusFiles(tuple(dict.fromkeys(found)), tuple(ignored), tuple(refused))


def _leads_into(path: Path, home: Path) -> bool:
    try:
        return path.resolve().is_relative_to(home)
    except (OSError, RuntimeError):  # a link to itself
        return False


def _under(root: Path) -> tuple[list[Path], list[Path], list[Unreadable]]:
    found: list[Path] = []
    ignored: list[Path] = []
    refused: list[Unreadable] = []
    home = root.resolve()
    for folder, folders, names in os.walk(root):  # links to folders are not followed: they may lead round or out
        here = Path(folder)
        for name in [n for n in folders if (here / n).is_symlink() and not n.startswith((".", "_"))]:
            refused.append(Unreadable(str(here / name), "指向文件夹的链接,不跟进 (a link to a folder is not followed)"))
        folders[:] = sorted(n for n in folders if not n.startswith((".", "_")))
        for name in sorted(names):
            path = here / name
            if name.startswith((".", "_")) or name.lower() == "readme.md" or name.lower().endswith(SIDECAR):
                continue
            if path.is_symlink() and not _leads_into(path, home):
                refused.append(Unreadable(str(path), "链接指到语料目录之外,不读 (a link out of the corpus)"))
            elif not path.is_file():
                refused.append(Unreadable(str(path), "不是普通文件 (not a regular file)"))
            else:
                (found if name.lower().endswith(SUFFIXES) else ignored).append(path)
    return sorted(found), ignored, refused


def load(paths: Sequence[Path], limits: Limits | None = None) -> Loaded:
    """Reads every document under `paths`. Of two documents with one id the later one is left out, and named."""
    limits = limits or Limits()
    listed = corpus_files(paths)
    documents: dict[str, Document] = {}
    files: dict[str, Path] = {}
    unreadable = list(listed.refused)
    encodings: list[tuple[str, str]] = []
    notes: list[Unreadable] = []
    with Worker(limits) as worker:
        for path in listed.read:
            try:
                found = list(_documents_in(path, worker, limits, unreadable, encodings, notes))
            except (OSError, EOFError, ValueError, zlib.error) as e:
                unreadable.append(Unreadable(str(path), str(e) or type(e).__name__))
                continue
            for document in found:
                if document.doc_id in documents:
                    first = files[document.doc_id]
                    why = f"doc_id {document.doc_id} 已由 {first} 占用 (id already taken): 请改文件名或 id"
                    unreadable.append(Unreadable(str(path), why))
                    continue
                documents[document.doc_id] = document
                files[document.doc_id] = path
    return Loaded(
        tuple(documents.values()),
        tuple(unreadable),
        tuple(encodings),
        tuple(map(str, listed.ignored)),
        files,
        tuple(notes),
    )


def limits_of(settings: Settings) -> Limits:
    """What one file may cost, as set."""
    return Limits(settings.max_file_mb * 1_000_000, settings.parse_memory_mb * 1_000_000, settings.parse_timeout_s)


def read_file(path: Path, limits: Limits | None = None) -> Document:
    """The one document in a file. Raises: ValueError with the reason why there is none, OSError."""
    limits = limits or Limits()
    with Worker(limits) as worker:
        unreadable: list[Unreadable] = []
        found = list(_documents_in(path, worker, limits, unreadable, [], []))
    if len(found) != 1:
        raise ValueError(unreadable[0].why if unreadable else "文件里不是一篇文档 (not one document)")
    return found[0]


def _documents_in(
    path: Path,
    worker: Worker,
    limits: Limits,
    unreadable: list[Unreadable],
    encodings: list[tuple[str, str]],
    notes: list[Unreadable],
) -> Iterator[Document]:
    name = path.name.lower()
    size = path.stat().st_size
    if size > limits.file_bytes:
        most = f"{limits.file_bytes / 1e6:.0f} MB"
        raise ValueError(f"文件 {size / 1e6:.0f} MB,上限 {most} (too large): 请拆开,或调大 YUNTU_MAX_FILE_MB")
    if not size:
        raise ValueError("空文件 (empty)")
    suffix = next((s for s in READERS if name.endswith(s)), None)
    if suffix is not None:
        found = worker.read(path, suffix)
        notes += [Unreadable(str(path), note) for note in found.notes]
        yield _laid_out(path, found)
        return
    raw = path.read_bytes()
    if name.endswith(".gz"):
        raw = _unpacked(raw, limits.file_bytes)
    elif (inside := wrong_format(raw, path.suffix.lower())) is not None:
        raise ValueError(f"扩展名是 {path.suffix},内容却是 {inside} (wrong extension): 请改名")
    text, encoding = decode(raw)
    if encoding != "utf-8":
        encodings.append((str(path), encoding))
    if not text.removeprefix("\ufeff").strip():
        raise ValueError("空文件 (empty)")
    if name.endswith((".jsonl", ".jsonl.gz")):
        yield from _json_lines(path, text, unreadable)
    else:
        block = front_matter_of(text)
        fields, end = block if block else ({}, 0)
        yield _document(path.stem, text, _known(fields), body=text[end:])


def _unpacked(raw: bytes, most: int) -> bytes:
    with gzip.open(io.BytesIO(raw)) as packed:
        content = packed.read(most + 1)
    if len(content) > most:
        raise ValueError(f"解压后超过 {most / 1e6:.0f} MB,像是压缩炸弹 (unpacks to too much)")
    return content


def _laid_out(path: Path, extracted: Extracted) -> Document:
    """A document of a format that cannot hold front matter; what its sidecar says outranks what the file says."""
    sidecar = path.with_name(path.name + SIDECAR)
    said: dict[str, Any] = {}
    if sidecar.is_file():
        try:
            said = fields_in(sidecar.read_text(encoding="utf-8")[:MAX_BLOCK]) or {}
        except (yaml.YAMLError, ValueError, RecursionError) as e:
            raise ValueError(f"{sidecar.name}: {' '.join(str(e).split())}") from e
        if not isinstance(said, dict):
            raise ValueError(f"{sidecar.name}: 要写成 `字段: 值` (not a mapping)")
    fields = {**_known(extracted.fields), **_known(said)}
    if path.suffix.lower() in _TABLES:  # its first line is a row of heads
        fields.setdefault("title", path.stem)
    document = _document(path.stem, extracted.text, fields, body=extracted.text)
    return replace(document, places=extracted.places, marked=extracted.marked)


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
            yield _document(doc_id, body, _known(row), body=None)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as e:
            unreadable.append(Unreadable(f"{path}:{n}", f"{type(e).__name__}: {e}"))


_FIELDS = ("title", "publisher", "author", "published", "url", "lang", "source_kind", "keep", "examples")


def _encodable(text: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" for c in text)


def _known(source: dict[str, Any] | Byline) -> dict[str, Any]:
    fields = source if isinstance(source, dict) else asdict(source)
    return {name: value for name in _FIELDS if (value := fields.get(name)) not in (None, "")}


def _document(doc_id: str, text: str, fields: dict[str, Any], *, body: str | None) -> Document:
    """A document; what its fields do not say is read at the edges of its `body` (None: it has none, as in JSON)."""
    if not _encodable(doc_id):
        raise ValueError("文件名不是 UTF-8 (the file name is not UTF-8): 请改名")
    if _CONTROL.search(doc_id) or {".", ".."} & set(doc_id.split("/")) or not doc_id.strip():
        raise ValueError(f"id {doc_id!r} 不能用 (unusable id): 不能有控制字符,也不能是 . 或 ..")
    if len(text) > MAX_DOCUMENT_CHARS:
        raise ValueError(f"全文 {len(text):,} 字,上限 {MAX_DOCUMENT_CHARS:,} (too long): 请拆成几篇")
    if body is not None:
        fields = {**_known(byline_of(body)), **fields}
    body = text if body is None else body

    def text_of(name: str) -> str | None:
        return visible(str(fields.get(name, ""))).strip() or None  # nothing in a title turns what stands beside it

    def texts_of(name: str) -> tuple[str, ...]:
        value = fields.get(name, ())
        if not isinstance(value, str | list | tuple):
            raise ValueError(f"{name} {value!r}: 要是一个列表 (not a list)")
        return (visible(value),) if isinstance(value, str) else tuple(visible(str(v)) for v in value)

    title = text_of("title")
    if title is None:
        first = next((line for line in clean(body).readable.text.splitlines() if line), doc_id)
        title = first if len(first) <= _FIRST_WORDS else first[:_FIRST_WORDS] + "…"
    given = fields.get("source_kind")
    if given is not None and str(given) not in SOURCE_KINDS:
        raise ValueError(f"source_kind {given!r}: 只能是 {', '.join(SOURCE_KINDS)}")
    keep = texts_of("keep")
    if unknown := set(keep) - set(RULES):
        raise ValueError(f"keep {', '.join(sorted(unknown))}: 只能是 {', '.join(RULES)}")
    lang = text_of("lang")
    publisher, url = text_of("publisher"), text_of("url")
    kind, reason = (str(given), "") if given is not None else kind_of(publisher, url, text)

    return Document(
        doc_id=doc_id,
        title=title,
        text=text,
        publisher=publisher,
        author=text_of("author"),
        published=text_of("published"),
        url=url,
        lang=lang if lang in LANGS else language_of(body[:5000]),
        source_kind=kind,
        keep=keep,
        examples=texts_of("examples"),
        kind_reason=reason,
    )
