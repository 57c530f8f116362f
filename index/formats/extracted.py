"""What every format module gives."""

import re
from dataclasses import dataclass, field
from typing import Any

from index.values import Place, Removal


@dataclass(frozen=True, slots=True)
class Extracted:
    """The text of a file and what the file says of itself."""

    text: str
    fields: dict[str, Any] = field(default_factory=dict)  # title, publisher, author, published, url, lang
    places: tuple[Place, ...] = ()
    marked: tuple[Removal, ...] = ()
    notes: tuple[str, ...] = ()  # what of the file could not be read, for people


_NO_TITLE = re.compile(
    r"^(microsoft (word|powerpoint|excel)\b.*|powerpoint presentation|(slide|幻灯片|文档) ?\d*|untitled.*|无标题.*)$"
    r"|\.(docx?|pptx?|xlsx?|pdf|wps|indd|tex)$",
    re.IGNORECASE,
)


def titled(title: str | None) -> dict[str, Any]:
    """The title an office program or PDF maker wrote into a file, unless it is one that programs make up.

    Nothing else of what they write is believed: the author is whoever owns the machine, and the date that of a template
    or of the last export.
    """
    title = (title or "").strip()
    return {"title": title} if title and not _NO_TITLE.search(title) else {}


class TextBuilder:
    """Puts a text together line by line and notes where its places begin."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._places: list[Place] = []
        self._marked: list[Removal] = []
        self._notes: list[str] = []
        self.length = 0

    def place(self, kind: str, name: str, at: int | None = None) -> None:
        """What is added from here on (or what stands from `at` on) is in this place."""
        self._places.append(Place(self.length if at is None else at, kind, name))

    def add(self, text: str, rule: str | None = None) -> int:
        """Adds text as it is; `rule` says why it is not to be read. Returns where it begins."""
        start = self.length
        if text:
            self._pieces.append(text)
            self.length += len(text)
            if rule is not None:
                self._marked.append(Removal(start, self.length, rule))
        return start

    def line(self, text: str, rule: str | None = None) -> int:
        """Adds a line with its line break."""
        return self.add(text + "\n", rule)

    def note(self, what: str) -> None:
        """Something of the file could not be read."""
        self._notes.append(what)

    def done(self, fields: dict[str, Any] | None = None) -> Extracted:
        """What was put together. A place without text falls away."""
        ends = [*(p.start for p in self._places[1:]), self.length]
        places = [p for p, end in zip(self._places, ends, strict=False) if p.start < end]
        return Extracted("".join(self._pieces), fields or {}, tuple(places), tuple(self._marked), tuple(self._notes))
