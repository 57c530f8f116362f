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
from openpyxl.utils.exceptions import InvalidFileException

from index.decode import decode
from index.formats.extracted import Extracted, TextBuilder, titled
from index.formats.tables import table_lines
from index.formats.zipped import checked_zip

MAX_CELLS = 500_000


def read(raw: bytes) -> Extracted:
    """The text of an .xlsx file, sheet by sheet. Raises: ValueError when it is damaged or swells beyond reason."""
    checked_zip(raw)
    try:
        book = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
    except (InvalidFileException, KeyError, ValueError, TypeError, zipfile.BadZipFile) as e:
        raise ValueError(f"Excel 文件已损坏 (damaged): {e}") from e
    text = TextBuilder()
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # the file's own claim of its size is not believed
        rows = list(_limited([shown(cell) for cell in row] for row in sheet.iter_rows()))
        if any(any(row) for row in rows):
            if len(book.worksheets) > 1:
                text.place("cell", sheet.title)
                text.line(f"# {sheet.title}")
            _add(text, rows, f"{sheet.title}!")
    return text.done(titled(book.properties.title))


def read_csv(raw: bytes) -> Extracted:
    """The text of a .csv file in any encoding, with commas, semicolons or tabs. Raises: ValueError for no text."""
    content, _ = decode(raw)
    content = content.removeprefix("\ufeff")
    try:
        dialect: type[csv.Dialect] = csv.Sniffer().sniff(content[:5000], ",;\t|")
    except csv.Error:
        dialect = csv.excel
    text = TextBuilder()
    try:
        _add(text, list(_limited(csv.reader(io.StringIO(content), dialect))), "")
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
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat(" ", "minutes")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, int | float):
        form = str(getattr(cell, "number_format", None) or "General")
        digits = re.search(r"[0#](\.(0+))?%", form)
        if digits:
            return f"{value * 100:.{len(digits.group(2) or '')}f}%"
        places = re.search(r"0\.(0+)", form)
        if places and isinstance(value, float):
            return f"{value:.{len(places.group(1))}f}"
        return f"{value:.15g}" if isinstance(value, float) else str(value)
    return str(value)
