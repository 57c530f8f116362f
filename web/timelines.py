"""Charts over time: marks joined by lines, forecasts hollow, values beside their marks where there is room."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from rag.board import Chart
from rag.levels import Point
from web.chart_layers import (
    BAD,
    FONT,
    HUES,
    LINE,
    LINKED,
    PLOT,
    RULE,
    SHAPES,
    SMALL,
    SOFT,
    WIDTH,
    Layer,
    Row,
    layer_of,
    linked,
    plain,
    position,
    text_layer,
)
from web.chart_words import number_text, period_text, say, value_text, width_of, wrapped
from web.labels import Labels


@dataclass(frozen=True, slots=True)
class _Plot:
    """Where a period and a number stand in a timeline, in pixels; Vega's scales are given the same ends."""

    x: dict[str, Any]
    y: dict[str, Any]

    def at(self, month: float, number: float) -> tuple[float, float]:
        measure: Callable[[float], float] = math.log10 if self.y["type"] == "log" else float
        bottom, top = map(measure, self.y["domain"])
        first, last = self.x["domain"]
        left, right = self.x["range"]
        return (
            left + (month - first) / (last - first) * (right - left),
            self.y["range"][0] * (1 - (measure(number) - bottom) / (top - bottom)),
        )


def timeline(chart: Chart, t: Labels) -> tuple[list[Layer], float]:
    """Marks joined in time, one line a subject; grid lines bear their numbers."""
    names = list(dict.fromkeys(p.subject for p in chart.points))
    ticks = axis_ticks(chart)
    months = [_middle(p) for p in chart.points]
    first, last = min(months), max(months)
    plot = _Plot(
        {"domain": [first, max(last, first + 1)], "range": [56, WIDTH - 40], "nice": False, "zero": False},
        {"type": "log", "base": 10} if chart.log else {"type": "linear", "zero": False},
    )
    plot.y.update(domain=[ticks[0], ticks[-1]], range=[PLOT, 0], nice=False)
    legend = _legend(names, t) if len(names) > 1 else []
    x, y = position("month", plot.x), position("number", plot.y)
    rows = [_mark(n, p, names, t) for n, p in enumerate(chart.points)]
    grid = [{"number": tick, "from": 0, "to": WIDTH} for tick in ticks]
    rule = {"type": "rule", "aria": False}
    layers = [
        layer_of({**rule, "stroke": RULE}, grid, y=y, x=position("from"), x2={"field": "to"}),
        text_layer(
            [{"x": 0, "y": plot.at(first, v)[1] - 3, "text": number_text(v, chart.unit, t)} for v in ticks],
            fontSize=SMALL,
            fill=SOFT,
        ),
        *_lines(rows, rule, x, y),
        *_marks(rows, x, y),
        text_layer(_dates(chart, plot, t), align="center", fontSize=SMALL, fill=SOFT),
    ]
    texts = _values(chart, rows, plot, t)
    for align, colour in sorted({(r["align"], r["colour"]) for r in texts}):
        own = [r for r in texts if (r["align"], r["colour"]) == (align, colour)]
        layers.append(text_layer(own, align=align, fontWeight="bold", fill=colour))
    for i, entry in enumerate(legend):
        symbol = {"type": "point", "shape": SHAPES[i], "filled": True, "color": HUES[i], "size": 70, "opacity": 1}
        spot = {"x": entry["x"] + 5, "y": entry["y"] - 4}
        layers.append(layer_of({**symbol, "aria": False}, [spot], x=position("x"), y=position("y")))
        layers.append(text_layer([{**entry, "x": entry["x"] + 14}]))
    return [found for found in layers if found["data"]["values"]], PLOT


def _middle(point: Point) -> float:
    first, last = point.period or (0, 0)
    return (first + last) / 2


def _mark(n: int, point: Point, names: Sequence[str], t: Labels) -> Row:
    series = names.index(point.subject)
    return {
        "month": _middle(point),
        "number": (point.low + point.high) / 2,
        "low": point.low,
        "high": point.high,
        "series": series,
        "colour": BAD if point.conflict else HUES[series],
        "forecast": point.forecast,
        **linked(n, point, t),
    }


def _lines(rows: Sequence[Row], rule: Row, x: Row, y: Row) -> Iterator[Layer]:
    """From each mark to the next of its series, dashed towards a forecast; upright strokes for ranges."""
    for series in sorted({r["series"] for r in rows}):
        own = [r for r in rows if r["series"] == series]
        joined = [{**a, "month2": b["month"], "number2": b["number"], "to": b["forecast"]} for a, b in pairwise(own)]
        for forecast in (False, True):
            look = {**rule, "stroke": HUES[series], "strokeWidth": 2, **({"strokeDash": [5, 4]} if forecast else {})}
            kept = [plain(r) for r in joined if r["to"] == forecast]
            yield layer_of(look, kept, x=x, y=y, x2={"field": "month2"}, y2={"field": "number2"})
        ranges = [plain(r) for r in own if r["low"] != r["high"]]
        look = {**rule, "stroke": HUES[series], "strokeWidth": 7, "strokeOpacity": 0.35}
        yield layer_of(look, ranges, x=x, y={**y, "field": "low"}, y2={"field": "high"})


def _marks(rows: Sequence[Row], x: Row, y: Row) -> Iterator[Layer]:
    for look in sorted({(r["series"], r["colour"], r["forecast"]) for r in rows}):
        series, colour, forecast = look
        own = [r for r in rows if (r["series"], r["colour"], r["forecast"]) == look]
        mark = {"type": "point", "shape": SHAPES[series], "size": 80, "opacity": 1, "stroke": colour, "strokeWidth": 2}
        yield layer_of({**mark, "fill": "transparent" if forecast else colour}, own, x=x, y=y, **LINKED)


def _legend(names: Sequence[str], t: Labels) -> list[Row]:
    """Names from left to right above the plot, in as many lines as it takes."""
    entries: list[Row] = []
    x, line = 0.0, 0
    for name in names:
        text = wrapped(say(name, t), 22, 1)[0]
        width = 30 + width_of(text) * FONT
        if x and x + width > WIDTH:
            x, line = 0.0, line + 1
        entries.append({"x": x, "line": line, "text": text})
        x += width
    for entry in entries:
        entry["y"] = -26 - LINE * (line - entry.pop("line"))
    return entries


def _dates(chart: Chart, plot: _Plot, t: Labels) -> list[Row]:
    """The periods below the plot; of those that would overlap the later is left to its mark."""
    texts = {_middle(p): period_text(p.figure.as_of, t) for p in chart.points}
    placed: list[Row] = []
    ends = sorted(texts)
    for month in [ends[0], ends[-1], *ends[1:-1]]:
        x, half = plot.at(month, chart.points[0].high)[0], width_of(texts[month]) * SMALL / 2 + 4
        x = min(max(x, half), WIDTH - half)
        if all(abs(x - other["x"]) >= half + other["half"] for other in placed):
            placed.append({"x": x, "y": PLOT + 18, "text": texts[month], "half": half})
    return placed


def _values(chart: Chart, rows: Sequence[Row], plot: _Plot, t: Labels) -> list[Row]:
    """The values beside their marks where there is room, clear of lines, marks and the axis; else left to the table."""
    spots = [plot.at(r["month"], r["number"]) for r in rows]
    taken = [_around(x, y, 7) for x, y in spots]
    for (x, y), a, (x2, y2), b in zip(spots, rows, spots[1:], rows[1:], strict=False):
        if a["series"] == b["series"]:
            steps = max(2, int(abs(x2 - x) // 8))
            taken += [_around(x + (x2 - x) * i / steps, y + (y2 - y) * i / steps, 2) for i in range(1, steps)]
    for tick in axis_ticks(chart):
        y = plot.at(rows[0]["month"], tick)[1]
        taken.append((0, y - 14, width_of(number_text(tick, chart.unit, t)) * SMALL + 5, y - 1))
    texts: list[Row] = []
    for n in _in_turn(chart):
        point = chart.points[n]
        words = ("⚠ " if point.conflict else "") + value_text(point, t)
        wide = width_of(words) * FONT
        for align, x, base in _beside(*spots[n]):
            left = x - {"center": wide / 2, "left": 0, "right": wide}[align]
            box = (left, base - FONT, left + wide, base + 3)
            inside = left >= 0 and left + wide <= WIDTH and base <= PLOT + 2
            if inside and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                texts.append({"x": x, "y": base, "text": words, "align": align, "colour": rows[n]["colour"]})
                break
    return texts


def _beside(x: float, y: float) -> Iterator[tuple[str, float, float]]:
    """Where a value may stand, the best first: how its text is aligned, and at which point."""
    for base in (y - 11, y + 21, y - 25, y - 40):
        yield from (("center", x, base), ("left", x - 8, base), ("right", x + 8, base))
        if x > WIDTH - 60:
            yield "right", WIDTH, base
    yield from (("left", x + 22, y + 2), ("right", x - 22, y + 2))


def _around(x: float, y: float, by: float) -> tuple[float, float, float, float]:
    return x - by, y - by, x + by, y + by


def _in_turn(chart: Chart) -> list[int]:
    """Whose values are written: contradictions and the ends, then the others; of several lines the last of each."""
    points, last = chart.points, len(chart.points) - 1
    closing = [n for n, p in enumerate(points) if n == last or points[n + 1].subject != p.subject]
    ends = [n for n, p in enumerate(points) if p.conflict or n in closing or (n == 0 and len(closing) == 1)]
    return ends + [n for n in range(len(points)) if n not in ends and len(closing) == 1]


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def axis_ticks(chart: Chart) -> list[float]:
    """The numbers of a timeline's grid lines; the first and the last are the ends of its axis."""
    low, high = min(p.low for p in chart.points), max(p.high for p in chart.points)
    if chart.log:
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        step = max(1, -(-(last - first) // 5))
        return [10.0**n for n in range(first, last + step, step)]
    low, high = min(low, 0.0), max(high, 0.0)
    high = high if high > low else low + 1
    rough = (high - low) / 4
    size = 10.0 ** math.floor(math.log10(rough))
    width = next(m * size for m in (1, 2, 5, 10) if m * size >= rough * 0.999)
    return [n * width for n in range(math.floor(low / width), math.ceil(high / width) + 1)]
