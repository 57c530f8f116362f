"""Whatever bytes a file holds: it is read or refused, and nothing else comes of it."""

import io
import json
import re
import traceback
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import strategies as st

from index.formats.tables import row_key, table_lines
from index.formats.visible import seen_lines, tree_of
from index.formats.worker import extract, wrong_format
from index.load import load
from tests.fuzz.nasty import fuzz, texts, writable
from tests.index.formats import made

TEXT = "二〇二五年上半年，星澜云在公有云市场的份额为31.5%，比去年同期高四个百分点。"
PAGE = (
    f"<html><head><title>份额</title><style>a</style></head><body><nav><a href='/'>首页</a></nav><h1>份额</h1>"
    f"<p>{TEXT}</p><table><tr><th colspan='2'>年</th></tr><tr><td rowspan='3'>1</td><td>10<sup>12</sup></td></tr>"
    f"</table><p hidden>{TEXT}</p></body></html>"
)
FILES: dict[str, Callable[[], bytes]] = {
    ".html": PAGE.encode,
    ".pdf": lambda: made.pdf([TEXT] * 3, header="云图"),
    ".docx": lambda: made.word([TEXT, [["甲", "份额"], ["乙", "3%"]]], title="份额"),
    ".pptx": lambda: made.slides([("份额", TEXT)]),
    ".xlsx": lambda: made.sheets({"表": [["甲", "份额"], ["乙", 0.3]]}, formats={"B2": '0.0%"约"'}),
    ".csv": lambda: "甲,份额\n乙,30%\n".encode("gb18030"),
    ".epub": lambda: made.epub([("一", TEXT), ("二", TEXT)]),
}
PLAIN = {
    ".md": f"---\ntitle: 份额\npublished: 2025-07\nkeep: [blank]\n---\n# 份额\n\n{TEXT}\n",
    ".txt": f"星澜云份额\n2025-07-01\n来源：甲\n\n{TEXT}\n",
    ".jsonl": json.dumps({"id": "a", "text": TEXT, "keep": ["blank"], "published": "2025"}, ensure_ascii=False) + "\n",
}


@pytest.fixture(scope="module")
def times(soak: bool) -> int:
    """How many times as many examples as in the short run."""
    return 25 if soak else 1


def broken(raw: bytes) -> st.SearchStrategy[bytes]:
    """A file with a few bytes changed, cut out, doubled or put in."""
    at = st.integers(0, max(0, len(raw) - 1))
    junk = st.one_of(st.binary(max_size=8), texts(2).map(lambda t: t.encode("utf-8", "replace")))
    change = st.tuples(at, st.integers(0, 40), junk)

    def changed(changes: list[tuple[int, int, bytes]]) -> bytes:
        result = raw
        for start, length, instead in changes:
            result = result[:start] + instead + result[start + length :]
        return result

    return st.lists(change, min_size=1, max_size=6).map(changed)


def broken_inside(raw: bytes) -> st.SearchStrategy[bytes]:
    """An archive that is whole, with one of the files in it broken."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}

    def packed(name: str, content: bytes) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as new:
            for part, own in parts.items():
                new.writestr(part, content if part == name else own)
        return out.getvalue()

    # the files that hold text come more often than drawings and settings
    names = [n for n in parts if n.endswith((".xml", ".rels", ".xhtml", ".opf"))]
    told = [n for n in names if re.search(r"document|slide\d|sheet\d|sharedStrings|workbook|styles|opf|xhtml", n)]
    return st.sampled_from(names + told * 5).flatmap(lambda n: broken(parts[n]).map(lambda b: packed(n, b)))


@pytest.mark.parametrize("suffix", FILES)
def test_a_damaged_file_is_read_or_refused(suffix: str, tmp_path: Path, times: int) -> None:
    path = tmp_path / f"a{suffix}"

    def check(raw: bytes) -> None:
        path.write_bytes(raw)
        try:
            found = extract(str(path), suffix)
        except (ValueError, RecursionError):
            return
        except Exception as e:  # a library's own: the worker names the file
            if _is_ours(e):
                raise
            return
        assert found.text.strip()
        assert all(0 <= m.start < m.end <= len(found.text) for m in found.marked)
        assert all(0 <= p.start < len(found.text) for p in found.places)
        json.dumps([found.text, found.fields, found.notes])

    whole = FILES[suffix]()
    cut = st.binary(max_size=200).map(lambda junk: whole[:60] + junk)
    inside = [broken_inside(whole)] * 3 if whole.startswith(b"PK") else []
    fuzz(check, st.one_of(broken(whole), *inside, cut), 15 * times)


def _is_ours(error: BaseException) -> bool:
    """Whether an error comes of our own code and not of a library."""
    innermost = traceback.extract_tb(error.__traceback__)[-1].filename
    return Path(innermost).is_relative_to(Path(__file__).parents[2]) and "site-packages" not in innermost


@pytest.mark.parametrize("suffix", PLAIN)
def test_a_damaged_text_file_is_read_or_named(suffix: str, tmp_path: Path, times: int) -> None:
    path = tmp_path / f"a{suffix}"

    def check(raw: bytes) -> None:
        path.write_bytes(raw)
        loaded = load([path])
        assert loaded.documents or loaded.unreadable
        for d in loaded.documents:
            d.text.encode("utf-8")
            assert d.title

    fuzz(check, st.one_of(broken(PLAIN[suffix].encode()), writable(6).map(str.encode)), 15 * times)


@pytest.mark.parametrize("suffix", [".html", ".csv"])
def test_text_in_a_web_page_or_table_is_read_or_refused(suffix: str, tmp_path: Path, times: int) -> None:
    path = tmp_path / f"a{suffix}"

    def check(text: str) -> None:
        whole = PAGE.replace(TEXT, f"{text}<sup>{text}</sup>").replace("'3'", f"'{text[:9]}'")
        path.write_bytes((whole if suffix == ".html" else f"甲,{text},乙\n{text}").encode())
        with suppress(ValueError):
            assert extract(str(path), suffix).text.strip()
        tree = tree_of(whole)
        assert tree is None or all(line.text for line in seen_lines(tree))

    fuzz(check, writable(6), 20 * times)


def test_rows_of_any_cells_become_lines(times: int) -> None:
    rows = st.lists(st.lists(texts(2), max_size=6), max_size=8)

    def check(table: list[list[str]]) -> None:
        for line in table_lines(table):
            assert line.text
            assert all(column is None or column < len(table[line.row]) for _, column in line.parts[1:])
            key = row_key(line.text)
            assert key is None or line.text.startswith(key)

    fuzz(check, rows, 40 * times)


def test_what_a_file_is_can_always_be_told(times: int) -> None:
    def check(raw: bytes) -> None:
        for suffix in FILES:
            said = wrong_format(raw, suffix)
            assert said is None or said

    fuzz(check, st.binary(max_size=80), 20 * times)
