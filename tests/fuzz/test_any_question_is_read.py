"""Whatever somebody asks: it is understood the same way twice, and nothing of it fails."""

import pytest

from index.fold import fold_text
from index.script import language_of
from index.snapshot import Snapshot, open_current
from index.tokenize import words
from index.values import Sentence
from rag.asked_figure import counted_thing, is_asked_for
from rag.claims import claim_in
from rag.english import gloss
from rag.follow_up import resolved
from rag.lists import asked_count, asked_rank
from rag.rendering import in_chinese, in_english
from rag.several import parts_of
from rag.spelling import Spelling
from rag.statements import focus, is_borne_out, same_content
from rag.understand import asks_for_advice, asks_for_junk, kind_of, orders_only, understand
from tests.fakes import FakeEncoder
from tests.fuzz.nasty import fuzz, texts, writable
from tests.index.small import build, write_corpus

LONGEST_QUESTION = 2000


@pytest.fixture(scope="module")
def times(soak: bool) -> int:
    """How many times as many examples as in the short run."""
    return 25 if soak else 1


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("index.build.fingerprint_of", lambda _: FakeEncoder.fingerprint)
        folder = tmp_path_factory.mktemp("asked")
        build(write_corpus(folder / "corpus"), folder / "index")
        return open_current(folder / "index")


@pytest.fixture(scope="module")
def spelling(snapshot: Snapshot) -> Spelling:
    return Spelling(snapshot)


def test_a_question_is_understood_the_same_way_twice(times: int) -> None:
    def check(text: str) -> None:
        asked = text[:LONGEST_QUESTION]
        question = understand(asked)
        assert question == understand(asked)
        assert question.asked == asked
        assert kind_of(question)
        assert all(question.words)
        is_asked_for(question)
        for said in (asks_for_advice, asks_for_junk, orders_only):
            said(question.folded)

    fuzz(check, texts(12), 60 * times)


def test_the_numbers_a_question_asks_for_are_read_or_not_there(times: int) -> None:
    def check(text: str) -> None:
        folded = fold_text(text)
        for asked in (folded, f"多少{folded}", f"how many {folded}", f"前{folded}", f"哪{folded}个"):
            counted_thing(asked)
            assert asked_rank(asked) is None or asked_rank(asked) >= 0
            assert asked_count(asked) is None or asked_count(asked) >= 0

    fuzz(check, texts(6), 60 * times)


def test_the_parts_of_a_question_are_its_own_words(times: int) -> None:
    def check(text: str) -> None:
        parts = parts_of(text)
        assert parts
        assert "".join("".join(parts).split()) == "".join(text.split())

    fuzz(check, texts(12), 80 * times)


def test_a_question_leans_on_any_other(times: int) -> None:
    def check(text: str) -> None:
        half = len(text) // 2
        last, earlier = text[:half] or "它呢", text[half:] or "甲的份额是多少"
        assert resolved(last, earlier).strip() or not text.strip()
        assert understand(last, [earlier]) == understand(last, [earlier])
        assert understand(last, [earlier, text], part=True).asked == last

    fuzz(check, texts(12), 40 * times)


def test_a_figure_put_forward_stands_in_the_question(times: int) -> None:
    def check(text: str) -> None:
        for asked in (f"{text}，对吧？", f"是不是{text}"):
            claim = claim_in(understand(asked))
            assert claim is None or claim.value in fold_text(claim.question.asked)

    fuzz(check, texts(8), 40 * times)


def test_typos_are_mended_towards_known_words_and_nothing_else_changes(spelling: Spelling, times: int) -> None:
    def check(text: str) -> None:
        mended = spelling.mend(text, language_of(text))
        assert mended.instead or mended.text == text
        assert all(word in mended.text for word in mended.instead)

    fuzz(check, texts(6), 60 * times)


def test_a_question_is_put_in_the_other_language(snapshot: Snapshot, times: int) -> None:
    near = [p.folded for p in snapshot.passages[0:2]]

    def check(text: str) -> None:
        question = understand(text)
        assert in_chinese(question, near, snapshot).asked == text
        assert in_english(question, snapshot).lang == "en"

    fuzz(check, texts(6), 30 * times)


def test_a_sentence_is_shown_in_its_own_words(times: int) -> None:
    question = understand("它的份额是多少？")

    def check(text: str) -> None:
        sentence = Sentence("d", 0, len(text), text, fold_text(text))
        shown = focus(sentence, question, 40)
        assert is_borne_out(shown, sentence) or "…" in shown
        assert same_content(sentence.folded, sentence.folded) or not words(sentence.folded)
        assert isinstance(gloss(text), str)

    fuzz(check, writable(8).filter(str.strip), 40 * times)
