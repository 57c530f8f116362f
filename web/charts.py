"""Chart → Vega-Lite spec → SVG or PNG, drawn without a network; on a page every mark leads to its sentence."""

import json
from functools import cache, lru_cache
from threading import Lock
from typing import Any

from lxml import etree

from rag.board import Chart
from web.bars import bars
from web.chart_layers import FONT, INK, MARK, SMALL, SOFT, WIDTH
from web.chart_words import colon, heading, notes, scope_line, source_text, wrapped
from web.labels import Labels
from web.problems import FontMissing
from web.timelines import timeline
from web.urls import document_url

FONTS = "Noto Sans CJK SC, Noto Sans SC, PingFang SC, Microsoft YaHei, sans-serif"  # of files; a page has its own
_SVG, _XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
_drawing = Lock()  # the renderer is one


def spec(chart: Chart, lang: str, *, titled: bool = False) -> dict[str, Any]:
    """A chart as Vega-Lite.

    Args:
        titled: with heading, 口径 and sources on white, and without links: for a file that leaves the page.
    """
    t = Labels(lang)
    layers, height = (timeline if chart.kind == "timeline" else bars)(chart, t)
    if titled:
        for layer in layers:
            layer["encoding"].pop("href", None)
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": WIDTH,
        "height": height,
        "padding": 16 if titled else 2,
        "background": "#ffffff" if titled else None,
        "autosize": "pad",
        "config": {"view": {"stroke": None}, "font": FONTS, "text": {"fontSize": FONT, "fill": INK}},
        **({"title": _title(chart, t)} if titled else {}),
        "layer": layers,
    }


def _title(chart: Chart, t: Labels) -> dict[str, Any]:
    sources = list(dict.fromkeys(source_text(p) for p in chart.points))
    lines = [scope_line(chart, t), *notes(chart, t), f"{t('figure.source')}{colon(t)}{'、'.join(sources)}"]
    return {
        "text": wrapped(heading(chart, t), WIDTH / 16, 3),
        "subtitle": [part for line in lines for part in wrapped(line, WIDTH / SMALL, 4)],
        "anchor": "start",
        "fontSize": 16,
        "color": INK,
        "subtitleFontSize": SMALL,
        "subtitleColor": SOFT,
        "subtitlePadding": 6,
        "offset": 14,
    }


def inline_svg(chart: Chart, lang: str) -> str:
    """A chart for a page: inert, as wide as its place, every mark a link to its sentence."""
    drawn = _svg(json.dumps(spec(chart, lang), ensure_ascii=False))
    for n, p in enumerate(chart.points):
        url = document_url(p.document.doc_id, p.figure.start, p.figure.end, lang)
        drawn = drawn.replace(f'"{MARK}{n}"', f'"{_quoted(url)}"')
    return drawn


def _quoted(url: str) -> str:
    return url.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")


def svg_file(chart: Chart, lang: str) -> str:
    """A chart as a picture that stands alone: with heading, 口径 and source, on white, without links."""
    return _svg(json.dumps(spec(chart, lang, titled=True), ensure_ascii=False), page=False)


def png_file(chart: Chart, lang: str) -> bytes:
    """The same in pixels, two for one. Raises: FontMissing where the server cannot write Chinese."""
    if not _writes_chinese():
        raise FontMissing
    return _png(svg_file(chart, lang))


@lru_cache(maxsize=256)
def _svg(spec_json: str, *, page: bool = True) -> str:
    import vl_convert  # slow to import, and only these pages need it

    with _drawing:
        drawn = vl_convert.vegalite_to_svg(json.loads(spec_json))
    return _inert(drawn, page=page)


@lru_cache(maxsize=32)
def _png(svg: str) -> bytes:
    import vl_convert

    with _drawing:
        return bytes(vl_convert.svg_to_png(svg, scale=2))


@cache
def _writes_chinese() -> bool:
    """Whether two Chinese characters look different: without a font both are the same box."""
    text = f'<text y="30" font-size="30" font-family="{FONTS}">{{}}</text>'
    frame = f'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40">{text}</svg>'
    return _png(frame.format("云")) != _png(frame.format("图"))


def _inert(drawn: str, *, page: bool) -> str:
    """SVG without scripts, styles, handlers and ids, and without words for screen readers that are not ours."""
    root = etree.fromstring(drawn.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    for element in list(root.iter()):
        if not isinstance(element.tag, str) or element.tag in (f"{_SVG}script", f"{_SVG}style", f"{_SVG}foreignObject"):
            parent = element.getparent()
            if parent is not None:
                parent.remove(element)
            continue
        for name in list(element.attrib):
            if name.startswith("on") or name in ("style", "id", "aria-roledescription") or name.startswith("role"):
                del element.attrib[name]
        if element.tag == f"{_SVG}a":
            element.set("href", element.get(f"{_XLINK}href", ""))
            del element.attrib[f"{_XLINK}href"]
            for mark in element:
                element.set("aria-label", mark.get("aria-label", ""))
                mark.attrib.pop("aria-label", "")
    if page:
        for name in ("width", "height", "class"):
            root.attrib.pop(name, "")
        root.set("class", "chart")
        root.set("role", "group")
    etree.cleanup_namespaces(root)
    text: str = etree.tostring(root, encoding="unicode")
    return text
