"""The layers that charts are made of, as Vega-Lite has them.

Everything is laid out for a phone's width: names and values stand above their bars, never beside them. The colours are
those of style.css in light; in the dark it replaces them by name.
"""

from collections.abc import Sequence
from typing import Any

from rag.levels import Point
from web.chart_words import described
from web.labels import Labels

WIDTH, PLOT = 320, 170  # pixels: a phone's width, and that of a card where three stand side by side
FONT, SMALL = 13, 11.5
LINE = 18
INK, SOFT, RULE, BAD = "#1b242b", "#56636d", "#d9dfe3", "#a3281f"  # style.css has each as fill and stroke
HUES = ("#0a6780", "#2a56a8", "#6d3fa0", "#1c6b3a", "#8a4b00", "#56636d")
SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross")
MARK = "https://mark.invalid/"  # an address Vega leaves alone; the n-th mark's own takes its place

Row = dict[str, Any]
Layer = dict[str, Any]


def layer_of(mark: dict[str, Any], rows: Sequence[Row], **encoding: Any) -> Layer:
    """A mark for each row."""
    return {"data": {"values": list(rows)}, "mark": mark, "encoding": encoding}


def position(field: str, scale: dict[str, Any] | None = None) -> dict[str, Any]:
    """A position: in pixels, or through a scale."""
    return {"field": field, "type": "quantitative", "scale": scale, "axis": None}


def text_layer(rows: Sequence[Row], **mark: Any) -> Layer:
    """Rows with x, y (pixels) and text."""
    mark = {"type": "text", "align": "left", "baseline": "alphabetic", "aria": False, **mark}
    return layer_of(mark, rows, x=position("x"), y=position("y"), text={"field": "text"})


LINKED = {"href": {"field": "href"}, "description": {"field": "description"}}


def linked(n: int, point: Point, t: Labels) -> Row:
    """What makes the mark of the n-th point a link with a name."""
    return {"href": f"{MARK}{n}", "description": described(point, t)}


def plain(row: Row) -> Row:
    """A row that is no link."""
    return {k: v for k, v in row.items() if k not in ("href", "description")}
