"""The forms an answer goes out in, and which of them somebody wants."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from rag.values import Answer
from web.exports.conversation import conversation, file_name

Form = Literal["md", "docx", "json"]
JSON = "application/json"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv"
MEDIA_TYPES: Mapping[Form, str] = {"json": JSON, "md": "text/markdown", "docx": DOCX}


@dataclass(frozen=True, slots=True)
class File:
    """What is sent or written."""

    content: bytes
    media_type: str
    name: str

    @property
    def headers(self) -> dict[str, str]:
        """That it is to be kept, and under which name."""
        return attached(self.name)


def exported(answers: Sequence[Answer], form: Form, base: str = "") -> File:
    """A conversation as a file.

    Args:
        answers: oldest first, at least one.
        base: our own address, for sources that have none.
    """
    name = file_name(answers[-1].question, form)
    if form == "json":
        told = json.dumps({"answers": [a.as_json() for a in answers]}, ensure_ascii=False, indent=1)
        return File(told.encode("utf-8", "replace"), MEDIA_TYPES[form], name)
    said = conversation(answers, base)
    if form == "md":
        from web.exports.markdown import as_markdown

        return File(as_markdown(said).encode("utf-8"), "text/markdown; charset=utf-8", name)
    from web.exports.docx import as_docx  # python-docx: nothing that a start should wait for

    return File(as_docx(said), MEDIA_TYPES[form], name)


def attached(name: str, plain: str = "") -> dict[str, str]:
    """The headers of a file to be kept under that name, whatever characters it has.

    Args:
        plain: a name in ASCII, for what cannot read the other.
    """
    plain = plain or f"yuntu.{name.rpartition('.')[2]}"
    named = f"filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='', errors='replace')}"
    return {"Content-Disposition": f"attachment; {named}"}


def preferred(accept: str, offered: Sequence[str]) -> str:
    """The media type of those offered that an Accept header ranks first; the first offered where none is named.

    Source: RFC 9110, 12.5.1: the most specific range that fits a type gives its weight.
    """
    ranges: dict[str, float] = {}
    for part in accept.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        weights = [p[2:].strip() for p in parameters if p.startswith("q=")]
        try:
            ranges[name] = float(weights[0]) if weights else 1.0
        except ValueError:
            ranges[name] = 0.0
    weighed = [_weight(ranges, kind) for kind in offered]
    best = max(weighed)
    return offered[weighed.index(best)] if best > 0 else offered[0]


def _weight(ranges: Mapping[str, float], kind: str) -> float:
    for fitting in (kind, f"{kind.partition('/')[0]}/*", "*/*"):
        if fitting in ranges:
            return ranges[fitting]
    return 0.0
