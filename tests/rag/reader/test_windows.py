"""Windows: whole sentences around one, and the way back from the reader's characters to the sentence's."""

from hypothesis import given
from hypothesis import strategies as st

from index.fold import to_simplified
from rag.reader.windows import window_around, window_of
from tests.rag.reader.small import passage

DOCUMENT, PASSAGE = passage()
COUNT = len(PASSAGE.sentences)


@given(st.integers(0, COUNT - 1), st.integers(5, 300), st.floats(0, 1))
def test_a_window_holds_its_sentence_and_is_as_short_as_asked(place: int, most: int, before: float) -> None:
    window = window_around(DOCUMENT, PASSAGE, 7, place, max_chars=most, before=before)
    assert place in window
    assert len(window.text) <= max(most, len(PASSAGE.sentences[place].text))


@given(st.integers(0, COUNT - 1), st.integers(20, 300), st.data())
def test_every_character_leads_back_to_its_sentence(place: int, most: int, data: st.DataObject) -> None:
    window = window_around(DOCUMENT, PASSAGE, 0, place, max_chars=most)
    start = data.draw(st.integers(0, len(window.text) - 1))
    end = data.draw(st.integers(start + 1, len(window.text)))
    found, a, b = window.locate(start, end)
    text = to_simplified(PASSAGE.sentences[found].text)
    assert 0 <= a < b <= len(text)
    assert window.text[start:end].startswith(text[a:b])


def test_the_room_one_side_leaves_the_other_gets() -> None:
    everything = sum(len(s.text) for s in PASSAGE.sentences)
    first = window_around(DOCUMENT, PASSAGE, 0, 0, max_chars=everything)
    last = window_around(DOCUMENT, PASSAGE, 0, COUNT - 1, max_chars=everything)
    assert first.text == last.text == to_simplified("".join(s.text for s in PASSAGE.sentences))


def test_the_reader_sees_simplified_text_with_title_and_headings() -> None:
    window = window_of(DOCUMENT, PASSAGE, 0, 0, 1)
    assert window.text == "孟郊,字东野,湖州武康人。"
    assert window.heading == "孟郊"
