"""The market board and the ledger as pages: what the figures say together, each a click from its words."""

from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from rag.board import Chart, scope_of
from rag.figure_rows import as_written
from web import charts
from web.api import Lang
from web.chart_words import heading, notes, period_text, scope_line, source_text
from web.exports.forms import attached
from web.labels import DEFAULT_LANG, Labels
from web.problems import ChartMissing
from web.render import page, part
from web.service import Service
from web.spreadsheet import as_csv
from web.terminal import shown
from web.urls import document_url
from web.versions import Versions

CHARTS_A_PAGE = 12
FIGURES_A_PAGE = 200
COLUMNS = ("subject", "attribute", "value", "number", "unit", "period", "scope", "said_by", "forecast", "conflict")
PLACE = ("document", "start", "end", "quote")

Asked = Annotated[str, Query(max_length=200)]
PageNumber = Annotated[int, Query(alias="page", ge=1)]


@dataclass(frozen=True, slots=True)
class Shown:
    """A chart as the page has it."""

    chart: Chart
    heading: str
    scope: str
    notes: list[str]
    svg: str
    rows: list[dict[str, object]]


def market_routes(versions: Versions) -> APIRouter:
    """`/market`, its charts as files, and `/figures`."""
    routes = APIRouter(include_in_schema=False)
    Served = Annotated[Service, Depends(versions.taken)]  # noqa: N806  a type

    @routes.api_route("/market", methods=["GET", "HEAD"])
    def market(
        request: Request, service: Served, subject: Asked = "", page_number: PageNumber = 1, lang: Lang = "auto"
    ) -> HTMLResponse:
        t = Labels(lang)
        found = service.board(subject.strip() or None)
        number, last, own = part(found, page_number, CHARTS_A_PAGE)
        return page(
            request,
            "market.html",
            lang,
            shown=[_shown(chart, t) for chart in own],
            total=len(found),
            number=number,
            last=last,
            subject=subject.strip(),
            subjects=sorted({p.subject for c in service.board() for p in c.points}),
            query=_query(t, subject=subject.strip()),
            version=service.version,
        )

    @routes.api_route("/market/{chart_id}.{form}", methods=["GET", "HEAD"])
    def chart_file(chart_id: str, form: Literal["csv", "svg", "png"], service: Served, lang: Lang = "auto") -> Response:
        chart = next((c for c in service.board() if c.chart_id == chart_id), None)
        if chart is None:
            raise ChartMissing
        t = Labels(lang)
        if form == "svg":
            return _file(charts.svg_file(chart, t.lang), "image/svg+xml", chart, form, t)
        if form == "png":
            return _file(charts.png_file(chart, t.lang), "image/png", chart, form, t)
        content = "\ufeff" + as_csv(table(chart), (*COLUMNS, *PLACE))  # Excel takes it for UTF-8 by the mark alone
        return _file(content, "text/csv; charset=utf-8", chart, form, t)

    @routes.api_route("/figures", methods=["GET", "HEAD"])
    def figures(
        request: Request,
        service: Served,
        subject: Asked = "",
        attribute: Asked = "",
        period: Asked = "",
        document: Asked = "",
        page_number: PageNumber = 1,
        lang: Lang = "auto",
    ) -> HTMLResponse:
        asked = {"subject": subject, "attribute": attribute, "period": period, "document": document}
        asked = {name: text.strip() for name, text in asked.items()}
        found = service.figures(
            subject=asked["subject"] or None,
            attribute=asked["attribute"] or None,
            period=asked["period"] or None,
            doc=asked["document"] or None,
        )
        number, last, own = part(found, page_number, FIGURES_A_PAGE)
        t = Labels(lang)
        return page(
            request,
            "figures.html",
            lang,
            rows=own,
            total=len(found),
            number=number,
            last=last,
            asked=asked,
            query=_query(t, **asked),
            csv="/api/figures?" + urlencode({"format": "csv"} | {k: v for k, v in asked.items() if v}),
            written=lambda row: as_written(row["value"], row["hedge"], row["number"], row["unit"]),
            period_text=period_text,
            version=service.version,
        )

    return routes


def _query(t: Labels, **fields: str) -> str:
    """What the addresses of a page carry along, ready for `page=` to follow."""
    kept = {k: v for k, v in fields.items() if v} | ({} if t.lang == DEFAULT_LANG else {"lang": t.lang})
    return urlencode(kept) + ("&" if kept else "")


def _shown(chart: Chart, t: Labels) -> Shown:
    return Shown(
        chart,
        heading(chart, t),
        scope_line(chart, t),
        notes(chart, t),
        charts.inline_svg(chart, t.lang),
        table(chart, t),
    )


def table(chart: Chart, t: Labels | None = None) -> list[dict[str, object]]:
    """A row for each figure of a chart, as the page and the CSV show it.

    Args:
        t: for the page, with periods in words and `href`; None gives them as the ledger has them.
    """
    rows: list[dict[str, object]] = []
    for of in chart.points:
        for p in (of, *of.also):
            f = p.figure
            rows.append(
                {
                    "subject": f.subject or "",
                    "attribute": f.attribute or "",
                    "value": as_written(f.value, f.hedge, f.number, f.unit),
                    "number": f.number,
                    "unit": f.unit or "",
                    "period": period_text(f.as_of, t) if t else f.as_of or "",
                    "scope": scope_of(p) or "",
                    "said_by": f.said_by or "",
                    "forecast": p.forecast,
                    "conflict": of.conflict,
                    "document": f.doc_id,
                    "start": f.start,
                    "end": f.end,
                    "quote": p.document.text[f.start : f.end],
                    **({"href": document_url(f.doc_id, f.start, f.end, t.lang), "by": source_text(p)} if t else {}),
                }
            )
    return rows


def _file(content: str | bytes, kind: str, chart: Chart, form: str, t: Labels) -> Response:
    name = shown(f"{heading(chart, t)}.{form}").replace("/", "-")
    return Response(content, media_type=kind, headers=attached(name, plain=f"{chart.chart_id}.{form}"))
