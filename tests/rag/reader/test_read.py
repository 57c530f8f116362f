"""Readings: the decoder on logits written by hand, and the reader that ships on bad input."""

import numpy as np
import pytest

from index.errors import ReaderUnavailable
from index.settings import Settings
from rag.reader.read import NEVER, EmbeddedReader, Reader, load_reader, reading_of
from rag.reader.windows import Window, window_around, window_of
from tests.rag.reader.small import passage

DOCUMENT, PASSAGE = passage()
WINDOW = window_of(DOCUMENT, PASSAGE, 0, 0, 2)  # 孟郊,字东野,湖州武康人。|他四十六岁才考中进士,写下了《登科后》。
OUTSIDE = [(0, 0)] * 3  # the question's tokens


def logits_for(start: int, end: int, answers: float = 2.0) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """One token a character; first and last token of the answer stand out."""
    characters = [*OUTSIDE, *((i, i + 1) for i in range(len(WINDOW.text))), (0, 0)]
    logits = np.zeros((len(characters), 3), np.float32)
    logits[len(OUTSIDE) + start, 0] = logits[len(OUTSIDE) + end - 1, 1] = 9.0
    logits[0, 2] = answers
    return logits, characters


def test_the_likeliest_words_come_first_with_their_sentence() -> None:
    at = WINDOW.text.index("湖州武康人")
    reading = reading_of(WINDOW, *logits_for(at, at + 5))
    best = reading.spans[0]
    assert PASSAGE.sentences[best.place].text[best.start : best.end] == "湖州武康人"
    assert reading.answers == 2.0
    assert [s.place for s in reading.spans] == [0, 1]  # the other sentence has its own best, far behind
    assert reading.spans[1].score < best.score - 5


def test_no_answer_runs_over_the_end_of_a_sentence() -> None:
    at = WINDOW.text.index("湖州")
    reading = reading_of(WINDOW, *logits_for(at, WINDOW.text.index("进士") + 2))
    for span in reading.spans:
        assert 0 <= span.start < span.end <= len(PASSAGE.sentences[span.place].text)


def test_no_answer_ends_before_it_begins() -> None:
    logits, characters = logits_for(5, 6)
    logits[:, 1] = 0
    logits[len(OUTSIDE) + 1, 1] = 9.0  # the last token before the first
    assert all(s.start < s.end for s in reading_of(WINDOW, logits, characters).spans)


def test_a_window_cut_away_by_a_long_question_answers_nothing() -> None:
    assert reading_of(WINDOW, np.zeros((3, 3), np.float32), OUTSIDE).answers == NEVER


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("   ", id="blank"),
        pytest.param("The quick brown fox. 1234 5678.", id="no-chinese"),
        pytest.param("\ud83d\udeab�?锟斤拷烫烫", id="damaged"),
        pytest.param("㈱①ﬀ" * 40, id="characters-that-grow"),
        pytest.param("云" * 3000, id="longer-than-the-model-reads"),
    ],
)
@pytest.mark.parametrize(
    "question", ["孟郊是哪里人?", "孟郊" * 900, "\ud83d", "?"], ids=["short", "long", "half", "mark"]
)
def test_whatever_it_is_given_it_reads_or_says_never(reader: Reader, text: str, question: str) -> None:
    window = Window(0, 0, (0,), "", text)
    (found,) = reader.read(question, [window])
    assert found.window is window
    assert np.isfinite(found.answers)
    assert all(0 <= s.start < s.end <= len(text) for s in found.spans)


@pytest.mark.slow
def test_readings_come_in_the_order_given_and_alone_or_together_agree(reader: Reader) -> None:
    windows = [window_around(DOCUMENT, PASSAGE, 0, place, max_chars=60) for place in range(len(PASSAGE.sentences))]
    windows.insert(1, Window(0, 0, (0,), "", ""))
    together = reader.read("孟郊是哪里人?", windows)
    assert [r.window for r in together] == windows
    for window, reading in zip(windows, together, strict=True):
        (alone,) = reader.read("孟郊是哪里人?", [window])
        assert alone.answers == pytest.approx(reading.answers, abs=0.3)


@pytest.mark.slow
def test_it_tells_the_answer_from_the_topic(reader: Reader) -> None:
    there, topic = window_of(DOCUMENT, PASSAGE, 0, 0, 1), window_of(DOCUMENT, PASSAGE, 0, 2, 4)
    found, missing = reader.read("孟郊是哪里人?", [there, topic])
    assert found.answers > missing.answers + 1
    best = found.spans[0]
    assert "武康" in PASSAGE.sentences[best.place].text[best.start : best.end]


@pytest.mark.slow
def test_both_scripts_are_read_alike(reader: Reader) -> None:
    window = window_of(DOCUMENT, PASSAGE, 0, 0, 3)
    (hans,) = reader.read("孟郊写下了什么诗?", [window])
    (hant,) = reader.read("孟郊寫下了什麼詩?", [window])
    assert hans == hant


def test_switched_off_there_is_none() -> None:
    assert load_reader(Settings.from_env({"YUNTU_READER": "off"})) is None


@pytest.mark.slow
def test_another_adapter_can_be_named_and_must_be_there() -> None:
    with pytest.raises(ReaderUnavailable):
        load_reader(Settings.from_env({"YUNTU_READER": "/nowhere/reader.safetensors"}))


@pytest.mark.slow
def test_the_card_of_the_shipped_weights_says_what_they_are(reader: Reader) -> None:
    assert isinstance(reader, EmbeddedReader)
    assert reader.trained["pairs"] > 10_000
