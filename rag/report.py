"""An evaluation to read: Markdown, or one HTML page that needs nothing else. What answers say is escaped in both."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import jinja2
from markupsafe import Markup, escape

from index.unseen import code_of, unseen_in
from rag.evaluate import Judged, gold_of, summary
from rag.gate import Held
from rag.values import Answer

SUFFIXES = (".md", ".html")
WHY = {
    "refused": "不该拒答而拒答 (refused)",
    "not refused": "该拒答而没有拒答 (not refused)",
    "no gold": "没有说出标准答案 (expected words not said)",
    "forbidden first": "先说了错的数字 (a wrong figure first)",
    "not cited": "没有引用应引的文档 (expected document not cited)",
}
_MARKUP = re.compile(r"([\\`*_{}\[\]<>|~&$])")  # the rest marks only where a line begins


@dataclass(frozen=True, slots=True)
class Case:
    """A question, what was answered and what became of it."""

    question: Mapping[str, Any]
    answer: Answer
    judged: Judged

    @property
    def turns(self) -> Sequence[str]:
        """What was asked before it."""
        return self.question.get("turns") or ()

    @property
    def expected(self) -> str:
        """What should have been said, and from where."""
        if not self.judged.answerable:
            reason = self.question.get("reason")
            return f"拒答 (to be refused){f': {reason}' if reason else ''}"
        gold = "；".join(" / ".join(group) for group in gold_of(self.question))
        docs = "、".join(map(str, self.question.get("docs") or self.question.get("relevant") or ()))
        return f"{gold or '(没有标准答案)'}{f' ← {docs}' if docs else ''}"


@dataclass(frozen=True, slots=True)
class Report:
    """An evaluation of one version of an index."""

    questions: str  # the name of their file
    index_version: str
    cases: Sequence[Case]
    gate: Sequence[Held] = ()

    @property
    def summary(self) -> dict[str, Any]:
        """All of it in numbers (rag.evaluate)."""
        return summary([c.judged for c in self.cases])

    @property
    def failures(self) -> list[Case]:
        """The questions that were not answered rightly, in their order."""
        return [c for c in self.cases if not c.judged.right]


def written(report: Report, suffix: str) -> str:
    """The report as one of SUFFIXES; the same for the same report."""
    template = _environment(suffix == ".html").get_template(f"report{suffix}.j2")
    return template.render(r=report, s=report.summary, why=WHY)


@cache
def _environment(html: bool) -> jinja2.Environment:
    # Markdown is no HTML: there every text goes through `told`
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("rag"),
        autoescape=html,  # noqa: S701
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["share"] = lambda v: "-" if v is None else f"{v * 100:.1f}%"
    environment.filters["told"] = _in_html if html else _in_markdown
    return environment


def _seen(text: object) -> str:
    """The text with a mark for each character that does not show or turns others."""
    text = str(text)
    hidden = set(unseen_in(text))
    return "".join(f"⟨{code_of(c)}⟩" if n in hidden and c != "\n" else c for n, c in enumerate(text))


def _in_markdown(text: object) -> str:
    """One line that shows as it is written, in a table too."""
    return " ⏎ ".join(_MARKUP.sub(r"\\\1", line) for line in _seen(text).splitlines() if line.strip())


def _in_html(text: object) -> Markup:
    return Markup("<br>").join(escape(line) for line in _seen(text).splitlines())
