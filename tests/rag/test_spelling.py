"""Mistyped words, mended only towards what the corpus or the lexicon knows."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.script import language_of
from index.snapshot import open_current
from rag.spelling import Spelling
from tests.index.small import build, write_corpus

TEXTS = {
    "one.md": "---\ntitle: 张居正\n---\n火山引擎的市场份额是49.2%,阿里云的融资超5亿美元。"
    "即梦用 Seedream 4.0 出图,大模型由 DeepSeek 开源。"
}


@pytest.fixture(scope="module")
def spelling(tmp_path_factory: pytest.TempPathFactory) -> Spelling:
    folder = tmp_path_factory.mktemp("spelling")
    build(write_corpus(folder / "corpus", TEXTS), folder / "index")
    return Spelling(open_current(folder / "index"))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        pytest.param("火山引琴的份额", "火山引擎的份额", id="homophone-at-the-end"),
        pytest.param("火珊引擎的份额", "火山引擎的份额", id="homophone-within"),
        pytest.param("阿里芸的份额", "阿里云的份额", id="a-name-of-three"),
        pytest.param("阿里云融姿多少", "阿里云融资多少", id="a-word"),
        pytest.param("huo shan yinqing 的份额", "火山引擎 的份额", id="pinyin"),
        pytest.param("Seedraem能出图吗", "Seedream能出图吗", id="latin"),
        pytest.param("火山引琴的份額是多少,請問", "火山引擎的份額是多少,請問", id="traditional"),
        pytest.param("When did Zhang Juzheng live?", "When did 张居正 live?", id="a-name-in-english"),
    ],
)
def test_a_word_nobody_knows_is_taken_for_one_the_corpus_has(spelling: Spelling, typed: str, meant: str) -> None:
    mended = spelling.mend(typed, language_of(typed))
    assert mended.text == meant
    assert all(word in meant for word in mended.instead)


@pytest.mark.parametrize(
    "text",
    [
        "火山引擎的市场份额是多少?",
        "腾讯跟谁合作做模型?",
        "腾讯占多少份额?",
        "阿里占了多少?",
        "用国外模型要多少钱?",
        "省的是同一种成本吗?",
        "点击的人大概能多多少?",
        "Why can't online sellers rely on AI alone?",
        "Seedream 5.0呢?",
        "Alibaba Cloud的份额是多少?",  # a word of a known name
        "",
        "???",
        "😀",
    ],
)
def test_what_is_a_word_of_its_own_stays(spelling: Spelling, text: str) -> None:
    assert spelling.mend(text, language_of(text)).text == text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=60))
def test_any_text_is_mended_or_left(spelling: Spelling, text: str) -> None:
    mended = spelling.mend(text, "zh-Hans")
    assert mended.instead or mended.text == text


def test_a_paste_is_left_as_it_is(spelling: Spelling) -> None:
    text = "火山引琴的份额" * 60
    assert spelling.mend(text, "zh-Hans").text == text
