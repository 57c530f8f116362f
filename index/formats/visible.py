"""An HTML tree → the lines that a reader of the page sees, in order, with what the markup says of each."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from lxml import etree, html

from index.decode import decode
from index.formats.tables import MAX_CELL, table_lines

_UNSEEN = {"script", "style", "template", "head", "iframe", "object", "svg", "math", "canvas", "select"}
_BLOCKS = frozenset(
    re.findall(
        r"\w+",
        "address article aside blockquote body button caption center dd details dialog dir div dl dt fieldset "
        "figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr html label legend li main menu nav ol "
        "option p pre section summary table tbody td tfoot th thead tr ul",
    )
)
_FRAME_TAGS = {"nav", "footer", "aside", "form", "button", "menu", "header", "noscript"}
_HEADINGS = {f"h{n}": n for n in range(1, 7)}
_HIDDEN_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?:px|pt|em)?\s*(?:;|$)|text-indent\s*:\s*-\d{3,}"
)
_META_ENCODING = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)


@dataclass(slots=True)
class SeenLine:
    """A line of a page. `pieces` are its cells where it is a row of a table, else its one text."""

    text: str
    pieces: tuple[str, ...]
    level: int = 0  # of a heading, 1-6
    linked: int = 0  # how many of its characters stand in links
    hidden: bool = False  # by its style: search engines see it, readers do not
    frame: bool = False  # inside <nav>, <footer>, <aside> …


@dataclass(slots=True)
class _Open:
    """What has been met since the last line break."""

    text: list[str] = field(default_factory=list)
    linked: int = 0


def seen_lines(root: Any) -> Iterator[SeenLine]:
    """The visible lines under an lxml element. A table of values gives a readable line a row."""
    line = _Open()

    def finished(level: int, hidden: bool, frame: bool) -> Iterator[SeenLine]:
        text = " ".join("".join(line.text).split())
        if text:
            yield SeenLine(text, (text,), level, line.linked, hidden, frame)
        line.text, line.linked = [], 0

    # (element, entering, level, hidden, frame, link); a stack of our own: pages nest deeper than Python recurses
    stack: list[tuple[Any, bool, int, bool, bool, bool]] = [(root, True, 0, False, False, False)]
    while stack:
        element, entering, level, hidden, frame, link = stack.pop()
        tag = element.tag if isinstance(element.tag, str) else ""
        if not entering:
            if tag in _BLOCKS or tag == "br":
                yield from finished(level, hidden, frame)
            if element.tail and element is not root:
                outer = element.getparent()
                _say(line, element.tail, link and not (outer is not None and outer.tag != "a" and tag == "a"))
            continue
        if not tag or tag in _UNSEEN:
            if element.tail and element is not root:
                _say(line, element.tail, link)
            continue
        hidden = hidden or _is_hidden(element)
        frame = frame or tag in _FRAME_TAGS
        inner_level = _HEADINGS.get(tag, level)
        inner_link = link or tag == "a"
        if tag in _BLOCKS:
            yield from finished(level, hidden, frame)
        if tag == "sup" and (raised := raised_number(line.text, "".join(element.itertext()))):
            _say(line, raised, False)
            if element.tail:
                _say(line, element.tail, link)
            continue
        if tag == "table" and (rows := _values_of(element)):
            for caption in element.iter("caption"):
                if said := _cell_text(caption):
                    yield SeenLine(said, (said,), 0, 0, hidden, frame)
            for row in table_lines(rows):
                pieces = tuple(text for text, column in row.parts if column is not None)
                yield SeenLine(row.text, pieces, 0, 0, hidden, frame)
            if element.tail:
                _say(line, element.tail, link)
            continue
        stack.append((element, False, inner_level, hidden, frame, link))
        for child in reversed(element):
            stack.append((child, True, inner_level, hidden, frame, inner_link))
        if element.text:
            _say(line, element.text, inner_link)
    yield from finished(0, False, False)


def _say(line: _Open, text: str, link: bool) -> None:
    line.text.append(text)
    if link:
        line.linked += len("".join(text.split()))


def _is_hidden(element: Any) -> bool:
    return (
        element.get("hidden") is not None
        or (element.get("aria-hidden") == "true" and element.tag != "a" and not element.get("class"))
        or _HIDDEN_STYLE.search((element.get("style") or "").lower()) is not None
    )


def _values_of(table: Any) -> list[list[str]] | None:
    """The cells of a table of values, each in every row and column it spans; None for one that lays out a page."""
    if table.find(".//table") is not None:
        return None
    grid: dict[tuple[int, int], str] = {}
    rows = [row for row in table.iter("tr") if not _is_hidden(row)]
    for n, row in enumerate(rows):
        column = 0
        for cell in row:
            if cell.tag not in ("td", "th"):
                continue
            while (n, column) in grid:
                column += 1
            text, wide, deep = _cell_text(cell), _span(cell, "colspan"), _span(cell, "rowspan")
            for m in range(n, min(n + deep, len(rows))):
                for c in range(column, column + wide):
                    grid[m, c] = text if c == column else ""
            column += wide
    width = max((c for _, c in grid), default=-1) + 1
    filled = [[grid.get((n, c), "") for c in range(width)] for n in range(len(rows))]
    wide_rows = sum(sum(map(bool, row)) >= 2 for row in filled)
    linked = sum(len("".join(a.itertext())) for a in table.iter("a"))
    size = sum(len(text) for row in filled for text in row)
    if wide_rows < 2 or any(len(text) > MAX_CELL for row in filled for text in row) or linked * 2 > size:
        return None
    return filled


def _cell_text(element: Any) -> str:
    """What is seen in a cell, in one line."""
    pieces: list[str] = []
    stack: list[tuple[Any, bool]] = [(element, True)]
    while stack:
        node, entering = stack.pop()
        tag = node.tag if isinstance(node.tag, str) else ""
        if entering and tag and tag not in _UNSEEN and not _is_hidden(node):
            raised = raised_number(pieces, node.text or "") if tag == "sup" else ""
            pieces.append(raised or (" " if tag in _BLOCKS or tag == "br" else "") + (node.text or ""))
            stack.append((node, False))
            stack += [(child, True) for child in reversed(node)]
        elif node is not element:
            pieces.append((" " if tag in _BLOCKS else "") + (node.tail or ""))
        if not entering and node is element:
            break
    return " ".join("".join(pieces).split())


def raised_number(before: Sequence[str], text: str) -> str:
    """A raised number, kept apart from the digits it stands behind: 10^12, or a note 49[2]%.

    Args:
        before: the pieces of the line so far; the last few tell.
    """
    text = text.strip()
    if not text.isdigit():
        return ""
    return f"^{text}" if re.search(r"(?<!\d)10$", "".join(before[-4:])) else f"[{text}]"


def _span(cell: Any, name: str) -> int:
    said = cell.get(name) or "1"
    return min(50, max(1, int(said))) if re.fullmatch(r"\d{1,4}", said) else 1


def page_of(raw: bytes) -> str:
    """The markup of a page: in the encoding it names, if that fits, else in the one it seems to be in."""
    said = _META_ENCODING.search(raw[:4096])
    if said and b"\0" not in raw:
        try:
            name = said.group(1).decode("ascii").lower()
            return raw.decode({"gb2312": "gb18030", "gbk": "gb18030", "big5": "big5hkscs"}.get(name, name))
        except (LookupError, UnicodeDecodeError):
            pass
    return decode(raw)[0]


def tree_of(page: str) -> Any:
    """The page as an lxml tree; None when there is nothing in it."""
    page = re.sub(
        r"^\s*<\?xml[^>]*\?>", "", page.removeprefix("\ufeff")
    )  # lxml refuses to be told the encoding of text
    try:
        return html.document_fromstring(page)
    except (etree.ParserError, ValueError):
        return None
