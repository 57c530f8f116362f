"""Web page → every line a reader sees, with what is not its article marked (trafilatura finds the article).

What trafilatura leaves out is believed where the markup agrees: a paragraph of running text between paragraphs of the
article stays, whatever box it stands in.
"""

import logging
import re
from collections.abc import Sequence

import trafilatura

from index.formats.extracted import Extracted, TextBuilder
from index.formats.visible import SeenLine, page_of, seen_lines, tree_of

SHORT = 8  # characters without blanks; a shorter line is of the article only where it is a whole line of it
PARAGRAPH = 40  # characters of a line that ends its sentences: running text wherever it stands


def read(raw: bytes) -> Extracted:
    """The text of a web page. Raises: ValueError when there is none, or it is no web page."""
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # it says on stderr what `read` says by its errors
    page = page_of(raw)
    tree = tree_of(page)
    lines = list(seen_lines(tree)) if tree is not None else []
    if sum(len(line.text) for line in lines if line.hidden and _runs(line)) * 2 > sum(
        len(line.text) for line in lines if _runs(line)
    ):
        for line in lines:  # most of it is hidden: until a script shows it
            line.hidden = False
    article = trafilatura.bare_extraction(
        page,
        output_format="python",
        with_metadata=True,
        include_tables=True,
        favor_recall=True,
        date_extraction_params={"extensive_search": False, "original_date": True},  # no date made of a year in the text
    )
    if not lines or (article is None and not any(_runs(line) for line in lines)):
        raise ValueError("网页里没有正文 (no main text in the page)")
    fields = {}
    if article is not None:
        fields = {
            "title": article.title,
            "publisher": article.sitename,
            "author": article.author,
            "published": article.date,
            "url": article.url,
        }
    main = _main(lines, str(article.text or "") if article is not None else "", str(fields.get("title") or ""))
    text = TextBuilder()
    for line, is_main in zip(lines, main, strict=True):
        rule = "hidden_text" if line.hidden else None if is_main else "page_frame"
        text.line("#" * line.level + " " + line.text if line.level and is_main else line.text, rule)
    return text.done({name: value for name, value in fields.items() if value})


def _bare(text: str) -> str:
    return re.sub(r"[\s|•·\-*]+", "", text)


def _runs(line: SeenLine) -> bool:
    """Running text: a paragraph with sentences, not a list of links."""
    return (
        len(line.text) >= PARAGRAPH
        and re.search(r"[。！？!?；;]|\.\s|\.$", line.text) is not None
        and line.linked < len(line.text) / 2
    )


def _main(lines: Sequence[SeenLine], article: str, title: str) -> list[bool]:
    """Which lines are of the article."""
    whole = _bare(article)
    own_lines = {_bare(line) for line in article.splitlines()}
    cells = {_bare(cell) for line in article.splitlines() if "|" in line for cell in line.split("|")}

    def found(line: SeenLine) -> bool:
        bare = _bare(line.text)
        if len(line.pieces) > 1:  # a row of a table
            return sum(_bare(p.split(" ", 1)[-1]) in cells or _bare(p) in whole for p in line.pieces) * 2 >= len(
                line.pieces
            )
        return bare in own_lines or (len(bare) >= SHORT and bare in whole)

    main = [not line.hidden and found(line) for line in lines]
    certain = [
        n
        for n, line in enumerate(lines)
        if main[n] and (_runs(line) or (n and _bare(line.text) in own_lines and main[n - 1]))
    ] or [n for n in range(len(lines)) if main[n]]
    if not certain:
        return [not line.hidden and not line.frame for line in lines]
    bare_title = _bare(title)
    titles = [n for n, line in enumerate(lines[: certain[0] + 1]) if bare_title and _bare(line.text) == bare_title]
    first, last = (titles[-1] if titles else certain[0]), certain[-1]
    for n, line in enumerate(lines):
        if not first <= n <= last:
            main[n] = main[n] and len(_bare(line.text)) >= SHORT and not line.frame
        elif not main[n] and not line.hidden:
            main[n] = n in titles or (not line.frame and line.linked * 2 < len(line.text))
    return main
