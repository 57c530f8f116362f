"""Rows as CSV, safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

_OPENS_FORMULA = "=+-@\t\n＝＋－＠"


def as_csv(rows: Sequence[Mapping[str, Any]], fields: Sequence[str]) -> str:
    """A header and a line for each row; a cell that a spreadsheet would run as a formula is kept from it."""
    out = io.StringIO()
    writer = csv.DictWriter(out, fields, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(row[name]) for name in fields})
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return " - ".join(f"{v:g}" for v in value)
    if not isinstance(value, str):
        return value
    value = value.replace("\r", "\n")  # a bare CR is not quoted, and begins a new row
    return f"'{value}" if value[:1] in _OPENS_FORMULA and value else value
