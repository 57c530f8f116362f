"""Charts of bars: shares, comparisons, and what contradicts or only seems to."""

from collections.abc import Iterator, Sequence
from typing import Any

from rag.board import Chart
from rag.levels import SHARE, Point
from web.chart_layers import (
    BAD,
    FONT,
    HUES,
    INK,
    LINE,
    LINKED,
    RULE,
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
from web.chart_words import own_scope, say, value_text, width_of, wrapped
from web.labels import Labels

BAR, GAP = 14, 12


def bars(chart: Chart, t: Labels) -> tuple[list[Layer], float]:
    """A bar a point: above it whose it is, or of a conflict what it counts, and its value."""
    low, high = min(0.0, *(p.low for p in chart.points)), max(0.0, *(p.high for p in chart.points))
    if chart.unit == "%" and (chart.kind == "shares" or chart.measure.endswith(SHARE)) and high <= 1:
        high = 1.0  # the whole that they are shares of
    scale = {"domain": [low, high if high > low else low + 1], "range": [0, WIDTH], "zero": False, "nice": False}
    names, values, drawn, y = [], [], [], 0.0
    for n, point in enumerate(chart.points):
        value, wide = value_text(point, t), chart.kind == "conflict"
        if point.conflict:
            value = f"⚠ {value}"
        free = WIDTH / FONT - width_of(value) - 1
        name = own_scope(point, t) if wide else say(point.subject, t)
        values.append({"x": 0 if wide else WIDTH, "y": y + FONT, "text": value, "bad": point.conflict})
        y += LINE if wide else 0
        lines = wrapped(name, WIDTH / SMALL, 4) if wide else wrapped(name, max(free, 8), 3)
        names += [{"x": 0, "y": y + FONT + LINE * i, "text": line} for i, line in enumerate(lines)]
        y += LINE * len(lines)
        drawn.append({**_ends(point), "y": y, "y2": y + BAR, "forecast": point.forecast, "bad": point.conflict})
        drawn[-1] |= linked(n, point, t)
        y += BAR + GAP
    x = position("from", scale)
    where = {"x": x, "x2": {"field": "to"}, "y": position("y"), "y2": {"field": "y2"}}
    track = [{**b, "from": max(low, 0.0), "to": high} for b in map(plain, drawn)]
    layers = [
        layer_of({"type": "rect", "fill": RULE, "fillOpacity": 0.45, "aria": False}, track, **where),
        text_layer(
            names, fontSize=SMALL if chart.kind == "conflict" else FONT, fill=SOFT if chart.kind == "conflict" else INK
        ),
        *(
            text_layer([v for v in values if v["bad"] == bad], align=align, fontWeight="bold", fill=BAD if bad else INK)
            for align in ["left" if chart.kind == "conflict" else "right"]
            for bad in (False, True)
        ),
    ]
    layers += _bar_layers(drawn, where)
    axis = [{"from": 0, "y": b["y"] - 2, "y2": b["y2"] + 2} for b in drawn] if low < 0 else []
    layers.append(
        layer_of({"type": "rule", "stroke": SOFT, "aria": False}, axis, x=x, y=position("y"), y2={"field": "y2"})
    )
    return [found for found in layers if found["data"]["values"]], y - GAP


def _bar_layers(drawn: Sequence[Row], where: dict[str, Any]) -> Iterator[Layer]:
    """Full for what is, hollow for a forecast, light between the ends of a range; red where another contradicts it."""
    for bad in (False, True):
        colour = BAD if bad else HUES[0]
        mark = {"type": "rect", "stroke": colour}
        for forecast in (False, True):
            own = [b for b in drawn if (b["bad"], b["forecast"]) == (bad, forecast)]
            ranges = [b for b in own if b["low"] != b["high"]]
            look = {"fill": "transparent", "strokeDash": [4, 3]} if forecast else {"fill": colour}
            yield layer_of({**mark, **look}, [b for b in own if b["low"] == b["high"]], **where, **LINKED)
            yield layer_of({**mark, **look, "aria": False}, [plain(b) for b in ranges], **where)
            between = [{**b, "from": b["low"], "to": b["high"]} for b in ranges]
            light = {"fill": colour, "fillOpacity": 0.35, "strokeDash": [2, 2]}
            yield layer_of({**mark, **light}, between, **where, **LINKED)


def _ends(point: Point) -> Row:
    """Where a bar begins and ends: a range is drawn as far as its near end, and lighter from there on."""
    near = point.low if point.low > 0 else point.high if point.high < 0 else 0.0
    far = near if point.low != point.high else point.high if point.high > 0 else point.low
    return {"from": 0, "to": far, "low": point.low, "high": point.high}
