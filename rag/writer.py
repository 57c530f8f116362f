"""A language model as the writer: evidence → prose, of which nothing is shown that is not borne out by what it cites.

What is answered, from what and whether at all is decided before: the model words an answer there is already. Where too
little of what it writes holds, or it fails, NotWritten says why, and the templated answer stands.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from index.bilingual import Translations
from index.fold import fold_text, to_simplified, to_traditional
from index.settings import Settings
from index.values import Document, Sentence
from rag.bearing import candidates
from rag.compose import template
from rag.fitting import Ledger
from rag.grounding import MARKER, fault_in, markers_of
from rag.llm import Message, ModelFailed, load_model
from rag.stated import Evidence, covered, stated
from rag.statements import Statement
from rag.values import Citation

MOST_CHARS = 6000  # of a reply: longer ones do not end
MOST_SENTENCES = 12
WARM_UP = "2024年营收为10亿元，增长5%。"
SAYS = 0.4  # of the words that answer: a sentence says them
_END = re.compile(r"[。！？!?](?![”」』）)])[”」』）)]*|\n|(?<=[\w\])”\"%])\.(?=\s|\[|$)")
_MARKERS = re.compile(r"(?:\s*\[[^\]\n]{0,40}\])+[。.]?")
_LIST = re.compile(r"^\s*(?:[-*•]\s+|\d{1,2}[.)、]\s+)")
_THOUGHT = re.compile(r"<think>.*?(?:</think>|$)", re.DOTALL)


class Model(Protocol):
    """What streams text."""

    def pieces(self, messages: Sequence[Message]) -> Iterator[str]:
        """The reply as it comes. Raises: ModelFailed."""


class NotWritten(Exception):
    """The templated answer stands; `reason` is one of rag.values.NOTICES."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer before it is worded."""

    question: str
    lang: str
    evidence: tuple[Evidence, ...]
    first: str  # what answers, as the template says it; must be said
    first_marker: int
    note: str = ""  # what stays as it is, above the prose
    table: str = ""  # … and below it


@dataclass(frozen=True, slots=True)
class Written:
    """Prose that holds."""

    text: str
    dropped: int  # sentences that did not


@dataclass(frozen=True)
class Writer:
    """Writes through one model."""

    model: Model

    @staticmethod
    def warm_up() -> None:
        """Loads what checking the first sentence would have to wait for."""
        s = Sentence("", 0, 1, WARM_UP, fold_text(WARM_UP))
        fault_in(f"{WARM_UP}[1]", {1: Evidence(1, s, Document("", "", WARM_UP), ())}, "zh-Hans", {})

    def write(self, draft: Draft, translations: Translations, heard: Callable[[str], None]) -> Written:
        """Words an answer.

        Args:
            translations: see rag.grounding.fault_in.
            heard: told each sentence that holds, as soon as it does and what answers has been said.
        Raises: NotWritten.
        """
        evidence = {e.marker: e for e in draft.evidence}
        kept: list[str] = []
        waiting: list[str] = []  # sound, but what answers has not been said
        answered, dropped = False, 0
        try:
            for sentence in sentences_of(self.model.pieces(_messages(draft))):
                said = _in_script(sentence, draft.lang)
                if said in kept:
                    continue
                if fault_in(said, evidence, draft.lang, translations) is not None:
                    dropped += 1
                    continue
                kept.append(said)
                waiting.append(said)
                answered = answered or _answers(said, draft)
                while answered and waiting:
                    heard(waiting.pop(0))
                if len(kept) + dropped >= MOST_SENTENCES:
                    break
        except ModelFailed as e:
            raise NotWritten(e.reason) from None
        if not kept and not dropped:
            raise NotWritten("llm_bad_output")
        if not answered:
            raise NotWritten("llm_unsupported")
        text = (" " if draft.lang == "en" else "").join(kept)
        return Written(
            "\n\n".join(part for part in (draft.note, text, _sources(kept, draft), draft.table) if part), dropped
        )


def writer_of(settings: Settings) -> Writer | None:
    """The writer that the settings name; None without one. Raises: BadSettings."""
    model = load_model(settings)
    return Writer(model) if model else None


def draft_of(
    question: str, lang: str, statements: Sequence[Statement], citations: Sequence[Citation], ledger: Ledger
) -> Draft:
    """What a writer gets of an answer.

    Args:
        statements: what the templated answer says, at least one; the first is the one that answers.
        citations: of these.
    """
    marker = {(c.doc_id, c.start, c.end): c.marker for c in citations}
    evidence: dict[int, Evidence] = {}
    for s, d in (source for statement in statements for source in statement.sources):
        n = marker[s.doc_id, s.start, s.end]
        evidence.setdefault(n, Evidence(n, s, d, ledger.at(s)))
    first = statements[0].sentence
    answering = marker[first.doc_id, first.start, first.end]
    return Draft(question, lang, tuple(evidence.values()), statements[0].text, answering)


def _messages(draft: Draft) -> list[Message]:
    prompt = template("writer.j2").render(
        lang=draft.lang, evidence=draft.evidence, first=draft.first_marker, question=draft.question
    )
    instructions, _, data = prompt.partition("\nEvidence:\n")
    return [{"role": "system", "content": instructions.strip()}, {"role": "user", "content": f"Evidence:\n{data}"}]


def sentences_of(pieces: Iterable[str]) -> Iterator[str]:
    """A stream cut into sentences, each with the markers behind it, as soon as it is complete.

    Raises: ModelFailed when it does not end.
    """
    text, size = "", 0
    for piece in pieces:
        size += len(piece)
        if size > MOST_CHARS:
            raise ModelFailed("llm_bad_output", "endless")
        text += piece
        if text.lstrip().startswith("<think>"):  # a reasoning model thinks aloud
            if "</think>" not in text:
                continue
            text = text.partition("</think>")[2]
        while cut := _cut(text):
            yield from _plain(text[:cut])
            text = text[cut:]
    yield from _plain(_THOUGHT.sub("", text))


def _cut(text: str) -> int:
    """Where the first sentence that is surely complete ends; 0 for none."""
    m = _END.search(text)
    while m and not text[: m.end()].strip(" \n。.!?！？"):
        m = _END.search(text, m.end())
    if m is None or (m.group() == "." and m.end() == len(text)):  # a decimal point, or the end
        return 0
    if m.group() == "\n" or text[: m.start()].rstrip().endswith("]"):
        return m.end()
    behind = _MARKERS.match(text, m.end())
    if behind and behind.end() < len(text):
        return behind.end()
    rest = text[m.end() :].lstrip(" ")
    return m.end() if rest and not rest.startswith("[") else 0


def _plain(sentence: str) -> Iterator[str]:
    said = _LIST.sub("", sentence.strip()).replace("**", "").strip()
    if said.strip("。.!?！？ "):
        yield said


def _in_script(sentence: str, lang: str) -> str:
    if lang == "en":
        return sentence
    return to_traditional(sentence) if lang == "zh-Hant" else to_simplified(sentence)


def _answers(sentence: str, draft: Draft) -> bool:
    """Whether a sentence says what answers: cites it, with its numbers and when they are of; or else its words."""
    if draft.first_marker not in markers_of(sentence):
        return False
    first = next(e for e in draft.evidence if e.marker == draft.first_marker)
    said, answer = stated(MARKER.sub(" ", sentence)), stated(draft.first)
    if not answer.mentions:
        return draft.lang == "en" or covered(fold_text(draft.first), said.folded) >= SAYS
    asked = [m for m in answer.mentions if any(candidates(m, [first], [stated(first.sentence.text)]))]
    held = any(any(candidates(m, [first], [said])) for m in asked or answer.mentions)
    return held and (not answer.times or bool(answer.times & said.times))


def _sources(kept: Sequence[str], draft: Draft) -> str:
    """Who says so and when, behind each marker that is used."""
    used = {n for sentence in kept for n in markers_of(sentence)}
    sources = [(e.marker, e.document) for e in draft.evidence if e.marker in used]
    return (
        template("sources.j2").render(sources=sources, lang=draft.lang, own=lambda t: _in_script(t, draft.lang)).strip()
    )
