"""Rows as CSV or as an Excel workbook, safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from web.exports.xml_text import xml_text

if TYPE_CHECKING:
    from openpyxl.cell import WriteOnlyCell

_OPENS_FORMULA = "=+-@\t\n＝＋－＠"
_MOST_CHARS = 32_767  # of an Excel cell
_WIDTHS = {"quote": 80, "subject": 24, "attribute": 24, "scope": 30, "doc": 28, "said_by": 20}
_LARGE = 1000  # from here on digits are grouped


def as_csv(rows: Sequence[Mapping[str, Any]], fields: Sequence[str]) -> str:
    """A header and a line for each row; a cell that a spreadsheet would run as a formula is kept from it."""
    out = io.StringIO()
    writer = csv.DictWriter(out, fields, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(row[name]) for name in fields})
    return out.getvalue()


def as_xlsx(rows: Sequence[Mapping[str, Any]], fields: Sequence[str], title: str = "figures") -> bytes:
    """A workbook: a header that stays in sight, numbers as numbers, everything else as the text it is.

    A range stands in two columns, `number` and `number_to`.
    """
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    def cell(value: Any, row: Mapping[str, Any]) -> "WriteOnlyCell":
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            made = WriteOnlyCell(sheet, "" if value is None else xml_text(str(value))[:_MOST_CHARS])
            if made.value:
                made.data_type, made.quotePrefix = "s", True  # text also after somebody has edited it
            return made
        made = WriteOnlyCell(sheet, value)
        if row.get("unit") == "%":
            made.number_format = "0.00%"
        elif abs(value) >= _LARGE and float(value).is_integer():
            made.number_format = "#,##0"
        return made

    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    wide = [n for name in fields for n in ((name, "number_to") if name == "number" else (name,))]
    sheet.freeze_panes = "A2"
    for n, name in enumerate(wide, 1):
        sheet.column_dimensions[get_column_letter(n)].width = _WIDTHS.get(name, 14)
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(wide))}{len(rows) + 1}"
    head = [WriteOnlyCell(sheet, name) for name in wide]
    for made in head:
        made.font = Font(bold=True)
    sheet.append(head)
    for row in rows:
        low, high = row["number"] if isinstance(row.get("number"), (list, tuple)) else (row.get("number"), None)
        flat = {**row, "number": low, "number_to": high}
        sheet.append([cell(flat[name], row) for name in wide])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return " - ".join(f"{v:g}" for v in value)
    if not isinstance(value, str):
        return value
    value = value.replace("\r", "\n")  # a bare CR is not quoted, and begins a new row
    return f"'{value}" if value[:1] in _OPENS_FORMULA and value else value
