"""question → Answer: understand, retrieve, read, decide, compose, verify. One opened index, many threads."""

import re
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from os import PathLike, environ
from typing import Any, TypeVar
from warnings import warn

from index.aliases import known_names
from index.clean import FURNITURE
from index.encode import Encoder
from index.errors import BadQuestion
from index.fold import fold_text
from index.script import language_of
from index.settings import Settings
from index.snapshot import Snapshot
from index.values import Document, Hit, Removal
from rag.choose import choose
from rag.claims import claim_in, verdict_on
from rag.compose import LANGUAGES, cited, compose, understood_note
from rag.contents import Contents
from rag.copies import copies_in
from rag.decide import decide
from rag.figure_answer import FigureTable, nearest, other_periods, several_counts, table_for
from rag.finding import Finder, Found
from rag.fitting import Ledger, alike, surely, telling
from rag.ledger import as_row
from rag.lists import lists_as_many
from rag.particulars import with_particulars
from rag.progress import say, tell, timed
from rag.reader.read import Reader
from rag.rendering import in_english
from rag.retrieve import joined
from rag.several import parts_of
from rag.spelling import Spelling
from rag.statements import Statement, is_borne_out
from rag.suggest import Candidate, candidates_of, suggested
from rag.understand import Question, kind_of, understand
from rag.values import Answer
from rag.writer import Draft, NotWritten, draft_of, writer_of

T = TypeVar("T")
WARM_UP_CHARS = 20
REMEMBERED = 512  # answers: the same question gets the same one, while the version is in use
PART = 1  # statements of one part among several questions
INSTEAD_S, FURTHER_S = 4.0, 1.0  # seconds for questions to ask instead, and to go on with
NEAREST = 2  # figures of other periods that a refusal names
UNFOUND = ("not_in_corpus", "off_topic", "other_period", "other_subject", "figure_not_stated")
TABLED = ("conflict", "compare", "timeline", "list")  # kinds that figures side by side answer


@dataclass(frozen=True, slots=True)
class _Reply:
    """What is said to one question, not yet written out."""

    asked: Question
    found: Found
    kind: str
    statements: Sequence[Statement]
    decision: str | None  # the reason to refuse
    table: FigureTable | None = None
    holds: bool | None = None  # of a claim

    @property
    def brief(self) -> Sequence[Statement]:
        """As one part among several: no more than answers it, and of a refusal the reason alone."""
        if self.decision is not None:
            return []
        return self.statements if self.table or self.kind in ("list", "correction") else self.statements[:PART]


@dataclass(frozen=True, slots=True)
class _Told:
    """A templated answer, and what a language model would word it from: None where it is not asked."""

    answer: Answer
    draft: Draft | None


def _are_one(replies: Sequence[_Reply]) -> bool:
    """Whether one sentence answers every part: then the question is answered as one."""
    if any(r.decision is not None or not r.statements for r in replies):
        return False
    return len({(r.statements[0].sentence.doc_id, r.statements[0].sentence.start) for r in replies}) == 1


class Assistant(Contents):
    """Answers from one version of the index."""

    def __init__(self, snapshot: Snapshot, encoder: Encoder, settings: Settings, reader: Reader | None = None) -> None:
        """`reader`: None answers from retrieval and sentence features alone.

        Raises: IndexMismatch when the index was made with another encoder or tokenizer than the ones at hand.
        """
        super().__init__(snapshot)
        self._encoder = encoder
        self._settings = settings
        self._reader = reader
        self._ledger = Ledger(snapshot.figures_of)
        self._copies = copies_in(snapshot)
        self._finder = Finder(snapshot, encoder, settings, reader, self._copies)
        self._spelling = Spelling(snapshot)
        self._writer = writer_of(settings)
        self._english = "en" in snapshot.languages.values()
        self._candidates: tuple[Candidate, ...] | None = None  # made when first needed
        # not the method itself: the memory would keep the assistant, and the index it maps, after a switch to the next
        answer, write = weakref.WeakMethod(self._answer), weakref.WeakMethod(self._write)
        self._remembered = lru_cache(maxsize=REMEMBERED)(lambda *asked: _alive(answer)(*asked))
        # apart: what a model could not write now it may write the next time
        self._written = lru_cache(maxsize=REMEMBERED)(lambda *asked: _alive(write)(*asked))

    @classmethod
    def open(cls, index: str | PathLike[str] = "", **settings: Any) -> "Assistant":
        """Opens an index, with the encoder and the reader that the settings name.

        Args:
            index: its folder; empty: YUNTU_INDEX, or var/index.
            settings: as in index.settings (`reader="off"`, `top_k=5`); those not given come from YUNTU_ variables.
        Warns: when the version in use is damaged and the newest sound one is opened instead.
        Raises: BadSettings, IndexMissing, IndexDamaged, IndexMismatch, EncoderUnavailable, ReaderUnavailable.
        """
        from rag.opening import opened

        named = {f"YUNTU_{name.upper()}": str(value) for name, value in {"index": index, **settings}.items()}
        own = {name: value for name, value in named.items() if value}
        return opened(Settings.from_env({**environ, **own}), partial(warn, stacklevel=5))

    @cached_property
    def _junk(self) -> dict[str, str]:
        """Per document, the folded text of the lines that cleaning dropped."""
        removals = self._snapshot.removals
        return {doc_id: _junk_of(d, removals.get(doc_id, ())) for doc_id, d in self._snapshot.documents.items()}

    @property
    def over(self) -> "Callable[[Snapshot], Assistant]":
        """Makes the same over another version of the index, and holds nothing of this one. Raises: IndexMismatch."""
        return partial(Assistant, encoder=self._encoder, settings=self._settings, reader=self._reader)

    def warm_up(self) -> None:
        """Loads what the first question would have to wait for."""
        with known_names(self._snapshot.names):
            self._spelling.warm_up()
            if self._writer is not None:
                self._writer.warm_up()
            self._finder.find(understand(self._snapshot.passages[0].text[:WARM_UP_CHARS]), PART)

    def check(self) -> None:
        """Whether it can answer. Raises: IndexDamaged, IndexUnverified, EncoderUnavailable."""
        super().check()
        self._finder.check()

    def remembered(self) -> tuple[int, int, int]:
        """Answers given from memory, answers worked out, and how many are in memory."""
        info = self._remembered.cache_info()
        return info.hits, info.misses, info.currsize

    @property
    def max_question_chars(self) -> int:
        """Longer questions are turned away."""
        return self._settings.max_question_chars

    def ask(self, question: str, turns: Sequence[str] = (), lang: str = "auto", top_k: int | None = None) -> Answer:
        """Answers a question.

        Args:
            question: in Chinese, either script, or English.
            turns: the same user's earlier questions, oldest first.
            lang: of the answer; `auto` follows the question.
            top_k: passages the answer is looked for in; the setting when None.
        Raises: BadQuestion for an empty or over-long question or an unknown language.
        """
        _ = self.version  # raises when the index is known to be damaged
        tell("understand", question)
        with timed("understand") as watch:
            asked = (question, tuple(t for t in turns if t.strip()), lang, top_k or self._settings.top_k)
            told = self._remembered(*asked)
            answer = told.answer
            if told.draft is not None:
                try:
                    answer = self._written(*asked)
                except NotWritten as e:
                    answer = replace(answer, notice=e.reason)
            took = watch.milliseconds()
        return replace(answer, timings_ms=took)

    def _write(self, question: str, turns: Sequence[str], lang: str, top_k: int) -> Answer:
        """The answer in a language model's words. Raises: NotWritten."""
        told = self._remembered(question, turns, lang, top_k)
        assert self._writer is not None
        assert told.draft is not None
        with known_names(self._snapshot.names):
            written = self._writer.write(told.draft, self._snapshot.translations, say)
        return replace(told.answer, text=written.text, mode="llm", notice="llm_partial" if written.dropped else None)

    def _answer(self, question: str, turns: Sequence[str], lang: str, top_k: int) -> _Told:
        with known_names(self._snapshot.names):
            return self._answered(question, turns, lang, top_k)

    def _answered(self, question: str, turns: Sequence[str], lang: str, top_k: int) -> _Told:
        for text in (question, *turns):
            self._check(text)
        if lang not in ("auto", *LANGUAGES):
            raise BadQuestion(f"lang {lang!r} 不认识 (unknown)。", f"可用: auto {' '.join(LANGUAGES)}")
        mended = self._spelling.mend(question, language_of(question))
        parts = parts_of(mended.text)
        language = language_of(question) if lang == "auto" else lang
        replies: list[_Reply] = []
        for n, part in enumerate(parts):
            asked = understand(part, [*turns, *parts[:n]], part=n > 0)
            replies.append(self._reply(asked, language, top_k))
        if len(replies) > 1 and _are_one(replies):
            replies = [self._reply(understand(mended.text, turns), language, top_k)]
        tell("compose")
        best = replies[0]
        several = len(replies) > 1
        statements = [s for r in replies for s in (r.brief if several else r.statements)]
        citations = cited(statements, self._snapshot.documents, self._copies)
        written = [
            compose(
                r.kind,
                r.brief if several else r.statements,
                citations,
                lang=language,
                reason=r.decision,
                table=r.table,
                holds=r.holds,
            )
            for r in replies
        ]
        text = "\n".join(f"{n}. {t}" for n, t in enumerate(written, 1)) if several else written[0]
        note = understood_note(mended.instead, language) if mended.instead else ""
        if note:
            text = f"{note}\n{text}"
        refused = all(r.decision is not None for r in replies)
        dates = [c.published for c in citations if c.published]
        draft = None
        # a verdict on a claim, and one of several questions, are said in so many words already
        if self._writer is not None and not several and statements and best.decision is None and best.holds is None:
            draft = draft_of(mended.text, language, statements, citations, self._ledger)
            draft = replace(draft, note=note, table=written[0] if best.table else "")
        answer = Answer(
            question=question,
            understood_as=" ".join(r.asked.understood for r in replies) if len(parts) == 1 else mended.text,
            kind=("refusal" if refused else "several") if several else best.kind,
            text=text,
            refused=refused,
            reason=best.decision if refused else None,
            citations=citations,
            figures=tuple(as_row(s.figure, s.document) for s in statements if s.figure is not None),
            newest_evidence=max(dates, default=None),
            index_version=self.version,
            mode="full" if any(r.found.was_read for r in replies) else "no-reader",
            timings_ms={},  # told by who asked: a remembered answer took no time
            support=round(max(r.found.support for r in replies), 4),
            lang=language,
        )
        return _Told(answer, draft)

    def _reply(self, asked: Question, language: str, top_k: int) -> _Reply:
        """What is said to one question, put to the pages of each language in that language.

        An English one to Chinese pages and English ones, whichever answer better; a Chinese one to the English pages
        only where it finds nothing.
        """
        if not self._snapshot.translations or (asked.lang != "en" and not self._english):
            return self._reply_to(asked, language, top_k)
        if asked.lang == "en":
            replies = [self._reply_to(self._finder.in_chinese(asked), language, top_k)]
            if self._english:
                replies.append(self._reply_to(replace(asked, cross=False), language, top_k))
            best = max(replies, key=lambda r: (r.decision is None, r.found.support))
            return replace(best, asked=asked) if best.decision is None else self._reply_to(asked, language, top_k)
        reply = self._reply_to(asked, language, top_k)
        if reply.decision not in UNFOUND:
            return reply
        english = self._reply_to(in_english(asked, self._snapshot), language, top_k)
        return replace(english, asked=asked) if english.decision is None else reply

    def _reply_to(self, asked: Question, language: str, top_k: int) -> _Reply:
        """… with a figure that it puts forward held against the ledger, else asked openly."""
        claim = claim_in(asked)
        if claim is None:
            return self._open_reply(asked, language, top_k)
        found = self._finder.find(claim.question, top_k)
        verdict = verdict_on(claim, found.ranked, self._ledger, self._snapshot, language)
        if verdict is not None and (sound := self._borne_out(verdict.statements)):
            kind = "fact" if verdict.holds else "correction"
            return _Reply(asked, found, kind, sound, None, holds=verdict.holds)
        return replace(self._open_reply(claim.question, language, top_k), asked=asked)

    def _open_reply(self, asked: Question, language: str, top_k: int) -> _Reply:
        found = self._finder.find(asked, top_k)
        ranked = found.ranked
        asked = with_particulars(asked, ranked, alike(asked, ranked, self._ledger))
        able = telling(asked, ranked, self._ledger)
        table = None
        if kind_of(asked) in TABLED:
            table = table_for(asked, kind_of(asked), ranked, self._ledger, self._snapshot, language)
        elif kind_of(asked) == "fact":
            table = several_counts(asked, able, self._ledger, self._snapshot, language)
        best = ranked[0].row if ranked and kind_of(asked) == "list" else None
        elsewhen = other_periods(asked, ranked, self._ledger)
        sure = bool(surely(asked, able, self._ledger))
        decision = decide(
            asked,
            ranked,
            found.support,
            lambda: self._junk,
            found.threshold,
            telling=able,
            known=table is not None or sure,
            sure=sure,
            listed=best is not None and lists_as_many(asked.folded, best, self._snapshot),
            elsewhen=bool(elsewhen),
        )
        if decision == "other_period" and elsewhen:
            near = [nearest(f, self._snapshot, language) for f in elsewhen[:NEAREST]]
            return _Reply(asked, found, "refusal", near, decision)
        if table is not None and decision is None:
            return _Reply(asked, found, table.kind, [row.statement for row in table.rows], None, table)
        refused = decision is not None
        candidates = ranked if refused else able
        kind, statements = choose(asked, candidates, self._snapshot, self._ledger, language, refused=refused)
        statements = self._borne_out(statements)
        if not statements and decision is None:
            kind, decision = "refusal", "not_in_corpus"
        return _Reply(asked, found, kind, statements, decision)

    def suggestions(self, answer: Answer, turns: Sequence[str] = (), budget_s: float | None = None) -> list[str]:
        """A few questions near to an answer's own that the corpus answers, in its language.

        Args:
            turns: what was asked before it.
            budget_s: after so many seconds those found so far will do; None: a refusal is given more than an answer.
        """
        if budget_s is None:
            budget_s = INSTEAD_S if answer.refused else FURTHER_S
        with known_names(self._snapshot.names):
            if self._candidates is None:
                self._candidates = candidates_of(self._snapshot)
            return suggested(answer, self._candidates, self._told, asked_before=turns, budget_s=budget_s)

    def _told(self, candidate: Candidate) -> Answer:
        return self._remembered(candidate.question, (), "auto", self._settings.top_k).answer

    @staticmethod
    def _borne_out(statements: Sequence[Statement]) -> list[Statement]:
        """Those of which every number and name stands in what they cite."""
        return [s for s in statements if is_borne_out(s.text, *(sentence for sentence, _ in s.sources))]

    def run(self, question: str, top_k: int) -> tuple[list[Hit], float]:
        """The best passages and the support of a question, for evaluation."""
        self._check(question)
        with known_names(self._snapshot.names):
            asked = understand(self._spelling.mend(question, language_of(question)).text)
            hits, support = self._finder.hits(asked, max(top_k, self._settings.top_k))
            if asked.lang == "en" and self._snapshot.translations:
                in_chinese, support = self._finder.hits(
                    self._finder.in_chinese(asked), max(top_k, self._settings.top_k)
                )
                hits = joined(hits, in_chinese)
        return hits[:top_k], support

    def search(self, query: str, top_k: int) -> list[Hit]:
        """The `top_k` best passages for a query, best first."""
        _ = self.version  # the same
        self._check(query)
        tell("retrieve", query)
        with known_names(self._snapshot.names):
            return list(self._finder.retrieved(understand(query), top_k).hits[:top_k])

    def _check(self, question: str) -> None:
        if not question.strip():
            raise BadQuestion("问题是空的 (empty question)。", "请写一个问题")
        if len(question) > self.max_question_chars:
            raise BadQuestion(
                f"问题有 {len(question)} 个字符,最多 {self.max_question_chars} (question too long)。",
                "请缩短问题,一次问一件事",
            )


def _alive(method: "weakref.WeakMethod[Callable[..., T]]") -> Callable[..., T]:
    found = method()
    assert found is not None  # who asks holds the assistant
    return found


def _junk_of(document: Document, removals: Sequence[Removal]) -> str:
    """The folded text of the lines cleaning dropped: asked for, they are page furniture, not an answer."""
    dropped = (r for r in removals if r.rule in FURNITURE and r.rule != "byline")
    return fold_text(re.sub(r"\s+", "", "".join(document.text[r.start : r.end] for r in dropped)))
