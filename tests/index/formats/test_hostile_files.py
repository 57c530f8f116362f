"""Files that are broken, locked, or made to hurt: each is named with its reason, quickly, and the rest is read."""

import gzip
import io
import os
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from index.formats.worker import READERS, Limits, Worker
from index.load import MAX_DOCUMENT_CHARS, load
from tests.index.formats import made

pytestmark = pytest.mark.alone

TEXT = "二〇二五年上半年，衡山云在公有云市场的份额为31.5%，比去年同期高四个百分点。"


def zipped(*entries: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return out.getvalue()


def locked_zip() -> bytes:
    raw = bytearray(zipped(("word/document.xml", b"<a/>")))
    raw[6] |= 1  # the flag of an encrypted entry, here and in the directory
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    return bytes(raw)


ENTITIES = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "' + b"x" * 1000 + b'">'
    + b"".join(b'<!ENTITY c%d "%s">' % (n, b"&b;" * 10 if n == 0 else b"&c%d;" % (n - 1) * 10) for n in range(9))
    + b"]><a>&c8;</a>"
)  # fmt: skip
DOCX = made.word([TEXT])


def docx_with(part: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(DOCX)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry, content if entry.filename == part else old.read(entry))
    return out.getvalue()


def blank_pdf() -> bytes:
    return made.pdf(["", "", ""])


def pdf_bomb() -> bytes:
    """A page whose content unpacks to a gigabyte of drawing."""
    import zlib

    packer = zlib.compressobj(9)
    stream = b"".join(packer.compress(b"0 0 m 1 1 l S " * 70_000) for _ in range(1000)) + packer.flush()
    head = (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R>>endobj\n"
    )
    return head + b"4 0 obj<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream endobj\ntrailer<</Root 1 0 R>>" % (
        len(stream),
        stream,
    )


HOSTILE: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "empty": ("a.pdf", lambda: b"", "empty"),
    "nothing-in-it": ("a.docx", lambda: made.word([]), "no text"),
    "zip-bomb": ("a.docx", lambda: zipped(("word/document.xml", b"<a>" + b" " * 190_000_000)), "compressed beyond"),
    "many-zip-bombs": (
        "a.xlsx",
        lambda: zipped(*((f"xl/worksheets/s{n}.xml", b"a" * 900_000) for n in range(300))),
        "far too much",
    ),
    "gzip-bomb": ("a.jsonl.gz", lambda: gzip.compress(b" " * 60_000_000), "unpacks to too much"),
    "entity-bomb-in-word": ("a.docx", lambda: docx_with("word/document.xml", ENTITIES), ""),
    "entity-bomb-in-epub": (
        "a.epub",
        lambda: zipped(("META-INF/container.xml", ENTITIES)),
        "damaged|memory",
    ),
    "pdf-bomb": ("a.pdf", pdf_bomb, "long|memory|crash|OCR"),
    "html-nested-deep": ("a.html", lambda: b"<div>" * 200_000 + TEXT.encode(), ""),
    "html-without-end": ("a.html", lambda: b"<a href='x'>" * 300_000, ""),
    "encrypted-pdf": ("a.pdf", lambda: made.pdf([TEXT], password="x"), "encrypted"),
    "encrypted-zip": ("a.docx", locked_zip, "encrypted"),
    "encrypted-office": ("a.xlsx", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "encrypted or of an old"),
    "locked-epub": ("a.epub", lambda: made.epub([("一", TEXT)], encrypted=True), "DRM"),
    "scanned-pdf": ("a.pdf", blank_pdf, "needs OCR"),
    "cut-off-pdf": ("a.pdf", lambda: made.pdf([TEXT])[:700], "damaged|OCR|no text"),
    "cut-off-word": ("a.docx", lambda: DOCX[: len(DOCX) // 2], "damaged"),
    "word-without-its-text": ("a.docx", lambda: zipped(("word/other.xml", b"<a/>")), "damaged|cannot be read"),
    "page-called-pdf": ("a.pdf", lambda: f"<html><p>{TEXT}</p></html>".encode(), "wrong extension"),
    "pdf-called-text": ("a.txt", lambda: made.pdf([TEXT]), "wrong extension"),
    "word-called-excel": ("a.xlsx", lambda: DOCX, "wrong extension"),
    "picture-called-word": ("a.docx", lambda: b"\x89PNG\r\n\x1a\n" + b"\0" * 99, "wrong extension"),
    "noise-called-epub": ("a.epub", lambda: os.urandom(2000), "wrong extension"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_named_in_time_and_the_others_are_read(tmp_path: Path, case: str) -> None:
    import re

    name, content, why = HOSTILE[case]
    (tmp_path / name).write_bytes(content())
    (tmp_path / "good.txt").write_text(TEXT)
    (tmp_path / "z.docx").write_bytes(DOCX)  # read by the same process, or the one that takes its place
    began = time.monotonic()
    loaded = load([tmp_path])
    assert time.monotonic() - began < 13
    assert {"good", "z"} <= {d.doc_id for d in loaded.documents}
    if why:
        (named,) = loaded.unreadable
        assert named.where == str(tmp_path / name)
        assert re.search(why, named.why), named.why
    else:  # harmless to us: read or named
        assert len(loaded.unreadable) + len(loaded.documents) == 3


def test_memory_is_limited(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_bytes(("<p>" + TEXT * 20 + "</p>\n").encode() * 12_000)
    with Worker(Limits(memory_bytes=300_000_000)) as worker:
        with pytest.raises(ValueError, match=r"memory|crash|long"):
            worker.read(path, ".html")
        path.write_text(f"<p>{TEXT * 5}</p>")
        assert TEXT in worker.read(path, ".html").text  # the next file has a process of its own


def test_time_is_limited(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    path.write_bytes(DOCX)
    with Worker(Limits(timeout_s=0.001)) as worker, pytest.raises(ValueError, match="too long"):
        worker.read(path, ".docx")


def test_a_very_large_file_is_not_even_opened(tmp_path: Path) -> None:
    with (tmp_path / "a.pdf").open("wb") as f:
        f.truncate(200_000_000)
    (tmp_path / "b.txt").write_text(TEXT)
    began = time.monotonic()
    loaded = load([tmp_path])
    assert time.monotonic() - began < 2
    assert "200 MB" in loaded.unreadable[0].why
    assert "YUNTU_MAX_FILE_MB" in loaded.unreadable[0].why


def test_a_text_of_too_many_characters_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("字" * (MAX_DOCUMENT_CHARS + 1))
    (tmp_path / "b.txt").write_text(TEXT)
    assert "too long" in load([tmp_path]).unreadable[0].why


def test_links_out_of_the_corpus_and_round_in_it_are_not_followed(tmp_path: Path) -> None:
    corpus, outside = tmp_path / "corpus", tmp_path / "secret"
    corpus.mkdir()
    outside.mkdir()
    (outside / "s.txt").write_text(TEXT)
    (corpus / "good.txt").write_text(TEXT)
    (corpus / "round").symlink_to(corpus)
    (corpus / "out").symlink_to(outside)
    (corpus / "s.txt").symlink_to(outside / "s.txt")
    (corpus / "again.txt").symlink_to(corpus / "good.txt")
    (corpus / "nowhere.txt").symlink_to(corpus / "gone.txt")
    os.mkfifo(corpus / "pipe.txt")
    loaded = load([corpus])
    assert [d.doc_id for d in loaded.documents] == ["again", "good"]
    named = {Path(u.where).name: u.why for u in loaded.unreadable}
    assert set(named) == {"round", "out", "s.txt", "nowhere.txt", "pipe.txt"}
    assert "out of the corpus" in named["s.txt"]


@pytest.mark.parametrize("doc_id", ["..", "a/../b", "a\0b", "a\nb", "."])
def test_an_id_that_could_mean_another_place_is_refused(tmp_path: Path, doc_id: str) -> None:
    import json

    rows = [{"id": doc_id, "text": TEXT}, {"id": "good", "text": TEXT}]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    loaded = load([tmp_path])
    assert [d.doc_id for d in loaded.documents] == ["good"]
    assert "unusable id" in loaded.unreadable[0].why


def test_every_format_names_a_file_of_noise(tmp_path: Path) -> None:
    for n, suffix in enumerate(READERS):
        (tmp_path / f"{n}{suffix}").write_bytes(b"\x01\x02\x03" * 50 if suffix != ".csv" else b"\0\0\0")
    (tmp_path / "good.txt").write_text(TEXT)
    loaded = load([tmp_path])
    assert [d.doc_id for d in loaded.documents] == ["good"]
    assert len(loaded.unreadable) == len(READERS)
