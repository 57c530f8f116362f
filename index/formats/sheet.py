"""Tables in files, .xlsx (openpyxl) and .csv → one line a row, every cell cited by its name."""

import csv
import datetime
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import openpyxl
from openpyxl.utils import get_column_letter

from index.decode import decode
from index.formats.extracted import Extracted, TextBuilder, titled
from index.formats.tables import table_lines
from index.formats.zipped import checked_zip

MAX_CELLS = 500_000
MAX_SHEET_BYTES = 20_000_000  # a larger sheet is not searched for formulas


def read(raw: bytes) -> Extracted:
    """The text of an .xlsx file, sheet by sheet.

    Raises: ValueError when it is no archive or swells beyond reason; else what the library raises.
    """
    archive = checked_zip(raw)
    book = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
    text = TextBuilder()
    if unreckoned := _unreckoned(archive):
        text.note(
            f"{unreckoned} 个公式没有存下算出的值,读作空 (formulas without a stored value): 请在表格软件里打开再保存"
        )
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # the file's own claim of its size is not believed
        rows = list(_limited([shown(cell) for cell in row] for row in sheet.iter_rows()))
        if any(any(row) for row in rows):
            if len(book.worksheets) > 1:
                text.place("cell", sheet.title)
                text.line(f"# {sheet.title}")
            _add(text, rows, f"{sheet.title}!")
    return text.done(titled(book.properties.title))


def _unreckoned(archive: zipfile.ZipFile) -> int:
    """How many cells hold a formula and no value: files written by programs that do not reckon."""
    sheets = (
        entry
        for entry in archive.infolist()
        if entry.filename.startswith("xl/worksheets/") and entry.file_size < MAX_SHEET_BYTES
    )
    return sum(
        b"<f" in cell and re.search(rb"<v>[^<]", cell) is None
        for entry in sheets
        for cell in re.split(rb"</(?:\w+:)?c>", archive.read(entry))
    )


def read_csv(raw: bytes) -> Extracted:
    """The text of a .csv file in any encoding, with commas, semicolons or tabs. Raises: ValueError for no text."""
    content, _ = decode(raw)
    content = content.removeprefix("\ufeff")
    named = re.match(r"sep=(.)\r?\n", content)
    if named:
        content = content[named.end() :]
    try:
        mark = named.group(1) if named else csv.Sniffer().sniff(content[:5000], ",;\t|").delimiter
    except csv.Error:
        mark = ","
    if "\n" not in content:
        content = content.replace("\r", "\n")
    text = TextBuilder()
    try:
        _add(text, list(_limited(csv.reader(io.StringIO(content, newline=""), delimiter=mark))), "")
    except csv.Error as e:
        raise ValueError(f"CSV 读不通 (cannot be parsed): {e}") from e
    return text.done()


def _limited(rows: Iterable[Sequence[str]]) -> Iterator[Sequence[str]]:
    cells = 0
    for row in rows:
        cells += len(row)
        if cells > MAX_CELLS:
            raise ValueError(f"超过 {MAX_CELLS} 个单元格 (too many cells): 请拆开")
        yield row


def _add(text: TextBuilder, rows: Sequence[Sequence[str]], sheet: str) -> None:
    for line in table_lines(rows):
        for piece, column in line.parts:
            start = text.add(piece)
            if column is not None:
                text.place("cell", f"{sheet}{get_column_letter(column + 1)}{line.row + 1}", at=start)
        text.add("\n")


def shown(cell: Any) -> str:
    """A cell as a spreadsheet shows it: percent as percent, dates as dates, no tail of binary digits."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    form = str(getattr(cell, "number_format", None) or "General")
    if isinstance(value, datetime.datetime | datetime.date):
        return _date(value, form)
    if isinstance(value, datetime.time):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        minutes = round(value.total_seconds() / 60)
        return f"{minutes // 60}:{minutes % 60:02d}"
    return _number(value, form) if isinstance(value, int | float) else str(value)


def _date(value: datetime.date, form: str) -> str:
    """A date, as much of it as its format shows."""
    codes = re.sub(r'"[^"]*"|\\.|\[[^\]]*\]', "", form).lower()
    if isinstance(value, datetime.datetime) and value.time() != datetime.time():
        return value.isoformat(" ", "minutes")
    day = value.strftime("%Y-%m-%d")
    return day if "d" in codes or "y" not in codes else day[:7] if "m" in codes else day[:4]


_PLACEHOLDERS = re.compile(r"[#0?][#0?,]*(?:\.([#0?]+))?(,*)")


def _number(value: float, form: str) -> str:
    """A number under its format: decimals, percent, thousands left out, and the words put around it."""
    plain = f"{value:.15g}" if isinstance(value, float) else str(value)
    section = re.sub(r"\[[^\]]*\]|_.|\*.", "", form.split(";")[0])
    words = [m.group(1) or m.group(2) for m in re.finditer(r'"([^"]*)"|\\(.)', section)]
    bare = re.sub(r'"[^"]*"|\\.', "\0", section)
    holes = _PLACEHOLDERS.search(bare)
    if holes is None or form == "General":
        return plain
    if "%" in bare:
        value *= 100
    value /= 1000 ** len(holes.group(2) or "")
    decimals = len(holes.group(1) or "")
    digits = f"{value:.{decimals}f}"

    def around(part: str) -> str:
        return "".join(words.pop(0) if c == "\0" and words else "" if c == "\0" else c for c in part).strip()

    before, after = around(bare[: holes.start()]), around(bare[holes.end() :])
    return f"{before}{digits}{after}"
