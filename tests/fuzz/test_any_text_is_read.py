"""Whatever a document says: no stage of reading it fails, and what each finds lies where it says."""

import math
from contextlib import suppress
from itertools import pairwise

import pytest

from index.attribution import market_of, region_of, scope_note, source_of
from index.byline import byline_of
from index.clean import FURNITURE, FURNITURE_TURNS, clean
from index.dates import dates_in
from index.decode import decode
from index.errors import BadSettings
from index.figures import figures_of
from index.fold import fold, fold_text, to_simplified, to_traditional
from index.front_matter import front_matter_of
from index.names import names_in
from index.periods import compatible, match, periods_in, spans
from index.pinyin import sound, spelt
from index.quantities import parsed, quantities_in
from index.reprints import reprints
from index.script import language_of
from index.settings import Settings
from index.split import split
from index.tokenize import pairs, tagged, tokenize, word_ends, words
from index.values import Document
from tests.fuzz.nasty import fuzz, texts, writable

MAX_CHARS = 60


@pytest.fixture(scope="module")
def times(soak: bool) -> int:
    """How many times as many examples as in the short run."""
    return 25 if soak else 1


def document(text: str, doc_id: str = "d") -> Document:
    return Document(doc_id, "星澜云财报", text, published="2025-03-01", lang="zh-Hans")


def test_folding_keeps_every_character_in_its_place(times: int) -> None:
    def check(text: str) -> None:
        folded, places = fold(text)
        assert len(places) == len(text) + 1
        assert places[0] == 0
        assert places[-1] == len(folded)
        assert all(a <= b for a, b in pairwise(places))
        assert fold_text(text) == folded
        assert len(to_simplified(text)) == len(text)
        assert isinstance(to_traditional(text.encode("utf-8", "replace").decode()), str)
        assert language_of(text)

    fuzz(check, texts(), 60 * times)


def test_words_stand_in_the_text_in_their_order(times: int) -> None:
    def check(text: str) -> None:
        folded = fold_text(text)
        at = 0
        for word in words(folded):
            at = folded.index(word, at) + len(word)
        assert "".join(word for word, _ in tagged(folded)) == folded
        assert tokenize(folded) == words(folded) + pairs(folded)
        ends = word_ends(text)
        assert ends == sorted(set(ends))
        assert not text or ends[-1] == len(text)
        assert spelt(text) == spelt(text)
        assert all(isinstance(sound(c), str) for c in text)

    fuzz(check, texts(), 40 * times)


def test_quantities_lie_apart_and_their_numbers_are_finite(times: int) -> None:
    def check(text: str) -> None:
        folded = fold_text(text)
        dates = dates_in(folded, year="2024", published="2025-03-01", reported="2024Q1")
        assert all(0 <= d.start < d.end <= len(folded) and d.iso for d in dates)
        assert all(a.end <= b.start for a, b in pairwise(dates))
        for taken in ((), tuple((d.start, d.end) for d in dates)):
            found = quantities_in(folded, taken)
            assert all(0 <= q.start < q.end <= len(folded) for q in found)
            assert all(a.end <= b.start for a, b in pairwise(found))
            for q in found:
                ends = q.number if isinstance(q.number, tuple) else (q.number,)
                assert all(map(math.isfinite, ends))
                assert ends[0] <= ends[-1]
        assert dates_in(folded) == dates_in(folded)

    fuzz(check, texts(), 120 * times)


def test_a_numeral_is_a_number_or_a_value_error(times: int) -> None:
    def check(text: str) -> None:
        try:
            number = parsed(text)
        except ValueError:
            return
        assert not math.isnan(number)

    fuzz(check, texts(3), 60 * times)


def test_periods_are_written_in_one_notation(times: int) -> None:
    def check(text: str) -> None:
        found = periods_in(fold_text(text))
        for period in found:
            assert period[:4].isdecimal()
            assert compatible(period, period)
            assert spans(found, period)
        assert match(found, found) in (0.5, 1.0)

    fuzz(check, texts(), 80 * times)


def test_what_a_sentence_says_of_its_source_stands_in_it(times: int) -> None:
    def check(text: str) -> None:
        folded = fold_text(text)
        source = source_of(folded)
        assert source is None or 0 <= source.start < source.end <= len(folded)
        for said in (scope_note(folded), market_of(folded), region_of(folded)):
            assert said is None or said in folded

    fuzz(check, texts(), 80 * times)


def test_cleaning_twice_is_cleaning_once_and_removals_lie_in_the_text(times: int) -> None:
    def check(text: str) -> None:
        cleaned = clean(text)
        # where a text is nothing but short lines, the rules on neighbours are stopped before they have eaten it
        if sum(r.rule in FURNITURE for r in cleaned.removals) < FURNITURE_TURNS:
            assert clean(cleaned.readable.text).readable.text == cleaned.readable.text
        assert all(0 <= r.start < r.end <= len(text) for r in cleaned.removals)
        assert all(0 <= a < b <= len(text) for a, b in zip(cleaned.readable.starts, cleaned.readable.ends, strict=True))
        assert all(lost in cleaned.readable.text for lost in cleaned.damaged)

    fuzz(check, writable(), 60 * times)


def test_passages_sentences_and_figures_quote_the_text(times: int) -> None:
    def check(text: str) -> None:
        d = document(text)
        cleaned = clean(text)
        readable = cleaned.readable
        passages = split(d, readable, max_chars=MAX_CHARS)
        assert "".join(p.text for p in passages) == (readable.text if readable.text.strip() else "")
        sentences = [s for p in passages for s in p.sentences]
        for part in (*passages, *sentences):
            assert 0 <= part.start < part.end <= len(text)
        for s in sentences:
            assert s.text.strip()
        figures = figures_of(d, sentences, cleaned.damaged)
        bounds = {(s.start, s.end): s.text for s in sentences}
        for f in figures:
            assert f.value in bounds[f.start, f.end]
            assert f.value.strip()
            ends = f.number if isinstance(f.number, tuple) else (f.number,)
            assert all(map(math.isfinite, ends))
        assert figures == figures_of(d, sentences, cleaned.damaged)

    fuzz(check, writable(), 70 * times)


def test_names_that_are_one_are_folded_and_at_least_two(times: int) -> None:
    def check(text: str) -> None:
        found = names_in([document(text)])
        assert all(len(group) >= 2 and all(group) for group in found)
        assert names_in([document(text)]) == found

    fuzz(check, writable(), 60 * times)


def test_two_texts_are_compared_whatever_they_hold(times: int) -> None:
    def check(text: str) -> None:
        both = {"a": fold_text(text), "b": fold_text(text + "甲")}
        groups = reprints([document(text, "a"), document(text + "甲", "b")], both)
        assert all({"a", "b"} >= set(group) for group in groups)

    fuzz(check, writable(), 20 * times)


def test_the_edges_of_a_text_are_read_or_refused_with_a_reason(times: int) -> None:
    def check(text: str) -> None:
        byline = byline_of(text)
        if byline.published:
            assert len(byline.published) == 10
        for block in (text, f"---\n{text}\n---\n正文", f"---\ntitle: {text}\n---\n", f"---\n{text}: [{text}\n---\n"):
            with suppress(ValueError):
                front_matter_of(block)

    fuzz(check, writable(12), 40 * times)


def test_bytes_are_decoded_or_refused(times: int) -> None:
    def check(text: str) -> None:
        for encoding in ("utf-8", "gb18030", "big5", "utf-16", "shift-jis"):
            raw = text.encode(encoding, "ignore")
            for broken in (raw, raw[1:], raw[:-1], raw[: len(raw) // 2] + b"\xff\xfe\x81" + raw[len(raw) // 2 :]):
                try:
                    read, name = decode(broken)
                except ValueError:
                    continue
                assert name
                assert not any("\ud800" <= c <= "\udfff" for c in read)

    fuzz(check, texts(12), 15 * times)


def test_settings_are_taken_or_refused(times: int) -> None:
    names = (*Settings.model_fields, "nothing")

    def check(value: str) -> None:
        for name in names:
            with suppress(BadSettings):
                Settings.from_env({f"YUNTU_{name.upper()}": value})

    fuzz(check, texts(3), 30 * times)
