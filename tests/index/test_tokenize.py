"""One tokenizer for passages and queries."""

from collections.abc import Iterator
from importlib.resources import files

import jieba
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import tokenize
from index.fold import fold_text
from index.tokenize import fingerprint, pairs, word_ends, words

LEXICON = [
    line.split()[0]
    for line in (files("index") / "lexicon" / "words.txt").read_text(encoding="utf-8").splitlines()
    if line.strip() and not line.startswith("#")
]


@pytest.mark.parametrize("word", LEXICON)
def test_a_domain_word_is_kept_whole(word: str) -> None:
    assert word in words(f"据了解,{word}的增长很快")


def test_the_lexicon_is_folded_and_says_nothing_twice() -> None:
    assert [fold_text(word) for word in LEXICON] == LEXICON
    assert len(set(LEXICON)) == len(LEXICON)


@pytest.mark.parametrize(
    ("folded", "expected"),
    [
        pytest.param("火山引擎的日均调用量", ["火山引擎", "的", "日均", "调用量"], id="domain-words"),
        pytest.param("豆包1.6上线", ["豆包", "1.6", "上线"], id="a-number-behind-a-word"),
        pytest.param("deepseek-v3 和 qwen2.5", ["deepseek", "v", "3", "和", "qwen", "2.5"], id="latin-and-numbers"),
        pytest.param("占49.2%,共2亿元", ["占", "49.2", "共", "2", "亿元"], id="marks-are-no-words"),
        pytest.param("café", ["caf", "é"], id="other-letters"),
        pytest.param("。,!? \n", [], id="marks-alone"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_words(folded: str, expected: list[str]) -> None:
    assert words(folded) == expected


@pytest.mark.parametrize(
    ("folded", "expected"),
    [
        pytest.param("公有云", ["公有", "有云"], id="overlapping"),
        pytest.param("云", ["云"], id="one-alone"),
        pytest.param("阿里云,腾讯ai云", ["阿里", "里云", "腾讯", "云"], id="never-across-marks-or-latin"),
        pytest.param("abc 123", [], id="no-chinese"),
    ],
)
def test_pairs(folded: str, expected: list[str]) -> None:
    assert pairs(folded) == expected


def test_search_terms_are_words_and_pairs_with_repeats_kept() -> None:
    assert tokenize.tokenize("豆包豆包") == ["豆包", "豆包", "豆包", "包豆", "豆包"]


@given(st.text("云图问答火山引擎,。 ai1.6\n", max_size=40))
def test_the_last_word_ends_where_the_text_does(text: str) -> None:
    ends = word_ends(text)
    assert ends == sorted(set(ends))
    assert ends[-1:] == ([len(text)] if text else [])


@given(st.text(max_size=40))
def test_any_text_has_terms_without_blanks(text: str) -> None:
    assert all(term.strip() == term != "" for term in tokenize.tokenize(fold_text(text)))


# --- the fingerprint --------------------------------------------------------------------------------------------------


@pytest.fixture
def fresh() -> Iterator[None]:
    fingerprint.cache_clear()
    yield
    fingerprint.cache_clear()


@pytest.mark.usefixtures("fresh")
def test_the_fingerprint_follows_the_dictionary_jieba_and_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {fingerprint()}

    def now() -> str:
        fingerprint.cache_clear()
        return fingerprint()

    assert now() in seen
    words_txt = tokenize._dictionary()
    for name, value in (
        ("_dictionary", lambda: words_txt + "新词 10000 n\n".encode()),
        ("NAME", "jieba alone"),
    ):
        monkeypatch.setattr(tokenize, name, value)
        assert now() not in seen
        seen.add(now())
    monkeypatch.setattr(jieba, "__version__", "0.0")
    assert now() not in seen
