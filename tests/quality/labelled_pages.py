"""Pages whose lines are labelled: what must stay (=), what must go (x), what may do either (~); see pages/README.md."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lxml import html

from index.build import cleaned
from index.clean import FURNITURE
from index.formats.web_page import read
from index.values import Document

PAGES = Path(__file__).parent / "pages"


@dataclass(frozen=True)
class Labelled:
    """A stretch of a page with its label, and whether cleaning kept it (half of its characters or more)."""

    page: str
    text: str
    label: str
    kept: bool

    @property
    def chars(self) -> int:
        return len("".join(self.text.split()))


def labelled(path: Path) -> Iterator[Labelled]:
    """The labelled stretches of one page, after cleaning."""
    if path.suffix == ".txt":
        lines = path.read_text(encoding="utf-8").splitlines()
        parts = [(line[2:], line[0]) for line in lines if line.strip()]
        text = "\n".join(line[2:] if line.strip() else "" for line in lines)
        document = Document(path.stem, "", text)
    else:
        raw = path.read_bytes()
        elements = [e for e in html.document_fromstring(raw.decode("utf-8")).iter() if e.get("data-line")]
        parts = [(" ".join("".join(p.itertext()).split()), e.get("data-line")) for e in elements for p in _cells(e)]
        found = read(raw)
        document = Document(path.stem, "", found.text, marked=found.marked)
    lost = {n for r in cleaned(document).removals if r.rule in FURNITURE for n in range(r.start, r.end)}
    bare = [(c, n) for n, c in enumerate(document.text) if not c.isspace() and c not in "#|，：。"]
    letters = "".join(c for c, _ in bare)
    at = 0
    for said, label in parts:
        wanted = re.sub(r"[\s#|，：。]", "", said)
        if not wanted:
            continue
        begin = letters.find(wanted, at)
        begin = letters.find(wanted) if begin < 0 else begin
        if begin < 0:  # not even in the text: gone
            yield Labelled(path.stem, said, label, kept=False)
            continue
        at = max(at, begin + len(wanted))
        stretch = [bare[n][1] for n in range(begin, begin + len(wanted))]
        yield Labelled(path.stem, said, label, sum(n not in lost for n in stretch) * 2 >= len(stretch))


def _cells(element: html.HtmlElement) -> list[html.HtmlElement]:
    """A row of a table is held against the text cell by cell: a line is made of it."""
    return [c for c in element if c.tag in ("td", "th")] if element.tag == "tr" else [element]


def recalls(parts: list[Labelled]) -> dict[str, float]:
    """Junk recall and kept-text recall, by line and by character."""

    def share(label: str, kept: bool, size: bool) -> float:
        of = [(p.chars if size else 1, p.kept == kept) for p in parts if p.label == label]
        return sum(n for n, right in of if right) / max(1, sum(n for n, _ in of))

    return {
        "junk_lines": share("x", False, False),
        "junk_chars": share("x", False, True),
        "kept_lines": share("=", True, False),
        "kept_chars": share("=", True, True),
    }
