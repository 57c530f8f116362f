"""The reading stage, with a reader that answers by rule: which windows are read, and what comes of it."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from index.encode import Encoder
from index.settings import Settings
from index.snapshot import Snapshot, open_current
from rag import reading
from rag.assistant import Assistant
from rag.evidence import FEATURES, Scored, rank_sentences
from rag.reader.read import NEVER, Reading, Span
from rag.reader.windows import Window
from rag.reading import READ_FEATURES, agreeing, readings_of, reordered, windows_for, with_reading
from rag.retrieve import Retrieved, retrieve
from rag.understand import understand
from tests.fakes import FakeEncoder
from tests.index.small import build, write_corpus

PLACES = ["北京", "上海", "广州", "深圳", "杭州", "成都", "武汉", "西安", "南京", "长沙"]
TEXTS = {f"{n}.txt": f"{c}的机房建成了。{c}机房的容量是{n + 3}兆瓦。其余各项没有说明。\n" for n, c in enumerate(PLACES)}


class RuleReader:
    """A window answers when it holds the word; the answer is that word."""

    fingerprint = "rule"

    def __init__(self, word: str, answers: float = 6.0) -> None:
        self.word, self.answers = word, answers
        self.batches: list[int] = []

    def read(self, question: str, windows: Sequence[Window]) -> list[Reading]:
        self.batches.append(len(windows))
        return [self._reading(w) for w in windows]

    def _reading(self, window: Window) -> Reading:
        at = window.text.find(self.word)
        if at < 0:
            return Reading(window, -5.0, ())
        return Reading(window, self.answers, (Span(*window.locate(at, at + len(self.word)), -0.1),))


@pytest.fixture
def snapshot(tmp_path: Path, fake_encoder: FakeEncoder) -> Snapshot:
    build(write_corpus(tmp_path / "corpus", TEXTS), tmp_path / "index")
    return open_current(tmp_path / "index")


def found(snapshot: Snapshot, asked: str) -> Retrieved:
    encoder: Encoder = FakeEncoder()
    return retrieve(understand(asked), snapshot, encoder, top_k=10)


def test_no_window_is_read_twice_and_none_beyond_the_budget(snapshot: Snapshot) -> None:
    asked = "机房的容量是多少?"
    ranked = rank_sentences(understand(asked), found(snapshot, asked), snapshot)
    windows = windows_for(ranked, snapshot)
    assert len(windows) == reading.WINDOWS
    assert len({(w.row, w.first) for w in windows}) == len(windows)
    assert ranked[0].place in windows[0]
    assert windows[0].row == ranked[0].row


@pytest.mark.parametrize("answers", [9.0, 0.5], ids=["clear", "not-clear"])
def test_the_windows_are_read_together_however_clear_the_first_is(snapshot: Snapshot, answers: float) -> None:
    asked = "杭州机房的容量是多少?"
    ranked = rank_sentences(understand(asked), found(snapshot, asked), snapshot)
    reader = RuleReader("杭州", answers)
    readings = readings_of(understand(asked), ranked, snapshot, reader)
    assert reader.batches == [reading.WINDOWS] == [3]
    assert [r.window for r in readings] == windows_for(ranked, snapshot)


def test_what_was_not_read_says_so(snapshot: Snapshot) -> None:
    asked = "机房的容量是多少?"
    best = rank_sentences(understand(asked), found(snapshot, asked), snapshot)[0]
    unread = with_reading(best, ())
    assert unread.features[len(FEATURES) :] == (0.0, 0.0, 0.0, 1.0)
    assert len(unread.features) == len(FEATURES) + len(READ_FEATURES)
    assert unread.span is None


def test_a_passage_that_answers_rises_and_scores_stay_fractions(snapshot: Snapshot) -> None:
    retrieved = found(snapshot, "机房的容量是多少?")
    last = retrieved.rows[-1]
    readings = [Reading(Window(row, 0, (0,), "", "x"), 8.0 if row == last else NEVER, ()) for row in retrieved.rows]
    hits = reordered(retrieved, readings, weight=5.0, softness=1.0)
    assert hits[0].passage == retrieved.hits[-1].passage
    assert all(0 <= h.score <= 1 for h in hits)
    assert {h.passage.passage_id for h in hits} == {h.passage.passage_id for h in retrieved.hits}


def test_nothing_read_leaves_the_order_alone(snapshot: Snapshot) -> None:
    retrieved = found(snapshot, "机房的容量是多少?")
    assert [h.passage for h in reordered(retrieved, (), weight=5.0, softness=1.0)] == [
        h.passage for h in retrieved.hits
    ]


def test_the_mode_says_whether_it_was_read(snapshot: Snapshot, tmp_path: Path) -> None:
    settings = Settings(index=tmp_path / "index", encoder="fake")
    with_reader = Assistant(snapshot, FakeEncoder(), settings, RuleReader("杭州"))
    without = Assistant(snapshot, FakeEncoder(), settings)
    assert with_reader.ask("杭州机房的容量是多少?").mode == "full"
    assert without.ask("杭州机房的容量是多少?").mode == "no-reader"
    assert with_reader.ask("How big is the Hangzhou site?").mode == "no-reader"  # it was not trained for English


def scored(snapshot: Snapshot, asked: str, reader: RuleReader) -> list[Scored]:
    question = understand(asked)
    return reading.read(question, rank_sentences(question, found(snapshot, asked), snapshot), snapshot, reader).ranked


def test_only_what_gives_the_same_words_and_seems_to_answer_agrees(tmp_path: Path, fake_encoder: FakeEncoder) -> None:
    texts = {
        "a.txt": "杭州机房的容量是7兆瓦。\n",
        "b.txt": "据报道,杭州机房的容量是7兆瓦。\n",
        "c.txt": "上海机房的容量是8兆瓦。\n",
    }
    build(write_corpus(tmp_path / "corpus", texts), tmp_path / "index")
    snapshot = open_current(tmp_path / "index")
    asked = "杭州机房的容量是多少兆瓦?"
    ranked = scored(snapshot, asked, RuleReader("7兆瓦"))
    assert {c.sentence.doc_id for c in (ranked[0], *agreeing(ranked))} == {"a", "b"}
    assert agreeing(scored(snapshot, asked, RuleReader("7兆瓦", answers=-1.0))) == []
