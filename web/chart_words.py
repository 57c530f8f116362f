"""What charts say: headings, periods, 口径, numbers of an axis, in the reader's language; and how wide text is."""

import re

from rag.board import Chart, scope_of
from rag.figure_rows import as_written, period_words
from rag.levels import Point
from rag.statements import in_script
from web.labels import Labels

_WIDE = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\u3000-\u303f…—“”]")
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_STEPS = {"zh": ((1e12, "万亿"), (1e8, "亿"), (1e4, "万")), "en": ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K"))}


def heading(chart: Chart, t: Labels) -> str:
    """What a chart shows, of whom, when, and of shares by whose count."""
    what = say(f"{chart.subject or ''}{'' if _starts(chart) else ' '}{chart.measure}".strip(), t)
    when = period_text(chart.period, t) if chart.kind != "timeline" else ""
    counted_by = say((chart.scope or "").split(";")[0].split("《")[0], t) if chart.kind == "shares" else ""
    return " · ".join(part for part in (what, when, counted_by) if part)


def _starts(chart: Chart) -> bool:
    """Whether subject and measure can stand without a blank between them."""
    return not re.search(r"\w$", chart.subject or "", re.ASCII) and not re.match(r"\w", chart.measure, re.ASCII)


def say(text: str, t: Labels) -> str:
    """Words of the ledger in the reader's script, without what no XML may hold."""
    return _UNWRITABLE.sub("", in_script(text, t.lang, ""))


def period_text(as_of: str | None, t: Labels) -> str:
    """A period in words; empty for none."""
    if not as_of:
        return ""
    return as_of.replace(" 至 ", " – ") if t.lang == "en" else say(period_words(as_of), t)


def scope_text(scope: str | None, t: Labels) -> str:
    """A 口径 in words, also where none is stated."""
    return say(scope.replace(";", "；" if t.lang != "en" else "; "), t) if scope else t("market.scope.none")


def scope_line(chart: Chart, t: Labels) -> str:
    """The 口径 of all points, or that each has its own."""
    if chart.kind == "conflict":
        return t("market.scopes.same" if chart.contradicts else "market.scopes.differ")
    return f"{t('figure.scope')}{colon(t)}{scope_text(chart.scope, t)}" if chart.scope else t("market.scope.none")


def notes(chart: Chart, t: Labels) -> list[str]:
    """How a chart is to be read: unit, kind of axis, what is hollow, what was left out."""
    found = []
    if chart.kind == "timeline" and chart.unit:
        found.append(f"{t('market.unit')}{colon(t)}{say(chart.unit, t)}")
    if chart.log:
        found.append(t("market.log"))
    if any(p.forecast for p in chart.points):
        found.append(t("market.forecast"))
    if any(p.low != p.high for p in chart.points):
        found.append(t("market.range"))
    if chart.kind != "timeline" and not chart.period:
        found.append(t("market.period.none"))
    if chart.left_out:
        found.append(t("market.left_out").format(chart.left_out))
    return found


def colon(t: Labels) -> str:
    """The mark between a name and what it is."""
    return ": " if t.lang == "en" else "："


def source_text(point: Point) -> str:
    """Whose text a point stands in."""
    document = point.document
    return _UNWRITABLE.sub("", document.publisher or document.author or document.title or document.doc_id)


def value_text(point: Point, t: Labels) -> str:
    """The value as it is written, in the reader's script."""
    figure = point.figure
    written = as_written(figure.value, figure.hedge, figure.number, figure.unit)
    return _UNWRITABLE.sub("", in_script(written, t.lang, point.document.lang))


def described(point: Point, t: Labels) -> str:
    """A point in words, for those who do not see it."""
    parts = [
        say(point.subject, t),
        value_text(point, t),
        period_text(point.figure.as_of, t) or t("market.period.none"),
        scope_text(scope_of(point), t),
        source_text(point),
    ]
    if point.forecast:
        parts.append(t("figure.forecast"))
    if point.conflict:
        parts.append(t("figure.conflict"))
    return ("; " if t.lang == "en" else "；").join(parts)


def own_scope(point: Point, t: Labels) -> str:
    """What one point of a conflict measures, in which 口径 and in whose text."""
    scope = scope_text(scope_of(point), t)
    attribute = say(point.figure.attribute or "", t)
    return f"{attribute}{colon(t)}{scope} — {source_text(point)}"


def number_text(number: float, unit: str, t: Labels) -> str:
    """A number of an axis: 5万亿, 30%, 1.2B."""
    if unit in ("%", "百分点"):
        return f"{number * 100:.12g}{'%' if unit == '%' else ''}"
    size = abs(number)
    if size >= 1e17:
        return f"{number:.0e}"
    for step, name in _STEPS["en" if t.lang == "en" else "zh"]:
        if size >= step:
            return f"{number / step:.12g}{say(name, t)}"
    return f"{number:.6g}"


def width_of(text: str) -> float:
    """About how wide a text is, in its own font size."""
    return sum(1.0 if _WIDE.match(c) else 0.6 for c in text)


def wrapped(text: str, width: float, lines: int) -> list[str]:
    """A text in lines of at most that width (in font sizes); what does not fit into so many lines ends in “…”."""
    found, line, room = [], "", width
    for piece in re.findall(r"[A-Za-z0-9.,%+-]+|\s|.", " ".join(text.split())):
        wide = width_of(piece)
        if wide > room and line:
            found.append(line.strip())
            line, room = "", width
        while wide > room:  # a word longer than a line
            cut = max(1, int(room / 0.6))
            found.append(piece[:cut])
            piece = piece[cut:]
            wide = width_of(piece)
        line, room = line + piece, room - wide
    found.append(line.strip())
    found = [f for f in found if f] or [""]
    return found if len(found) <= lines else [*found[: lines - 1], f"{found[lines - 1][:-1]}…"]
