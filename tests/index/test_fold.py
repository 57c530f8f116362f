"""The folded shadow: what is made equal, and that it maps back."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.fold import fold, fold_text, to_simplified, to_traditional
from index.unseen import UNSEEN

ANY_TEXT = st.one_of(
    st.text(max_size=60),
    st.text("中國国雲云裡里发發髮臺台ＡｂＣ①㈱…％，１ß İ\U0002f8f4\ud83d", max_size=60),
)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        pytest.param("雲端運算", "云端运算", id="traditional"),
        pytest.param("云端", "云端", id="simplified-stays"),
        pytest.param("DeepSeek-V3", "deepseek-v3", id="capitals"),
        pytest.param("ＡＩ　１２３％", "ai 123%", id="full-width"),
        pytest.param("，！？（）：", ",!?():", id="full-width-marks"),
        pytest.param("①㈱㎡½…", "1(株)m21⁄2...", id="compatibility-characters"),
        pytest.param("頭髮發展", "头发发展", id="two-characters-become-one"),
        pytest.param("乾淨與乾坤", "干净与乾坤", id="one-character-by-its-phrase"),
        pytest.param("İ", "i̇", id="lower-case-is-longer"),
        pytest.param("“引号”「括號」", "“引号”「括号」", id="quotation-marks-stay"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_fold(text: str, folded: str) -> None:
    assert fold_text(text) == folded


def test_both_scripts_of_a_sentence_fold_to_one() -> None:
    assert fold_text("阿里雲在中國公有雲市場的份額") == fold_text("阿里云在中国公有云市场的份额")


def test_half_a_surrogate_pair_folds_to_a_question_mark_not_an_error() -> None:
    assert fold_text("價\ud83d格") == "价?格"


@given(ANY_TEXT)
def test_every_character_knows_where_its_shadow_begins(text: str) -> None:
    folded, positions = fold(text)
    assert len(positions) == len(text) + 1
    assert (positions[0], positions[-1]) == (0, len(folded))
    for i, c in enumerate(text):
        shadow = "" if UNSEEN.match(c) else unicodedata.normalize("NFKC", c).lower()
        assert len(folded[positions[i] : positions[i + 1]]) == len(shadow)
        if shadow.isascii():
            assert folded[positions[i] : positions[i + 1]] == shadow


@given(ANY_TEXT)
def test_simplifying_keeps_the_length(text: str) -> None:
    assert len(to_simplified(text)) == len(text)


@given(st.text("中国云服务市场份额增长abc123,。", max_size=40))
def test_folded_text_folds_to_itself(text: str) -> None:
    assert fold_text(fold_text(text)) == fold_text(text)


def test_our_own_words_can_be_shown_in_traditional_characters() -> None:
    assert to_traditional("资料库里没有") == "資料庫裡沒有"
    assert to_traditional("中国公有云市场") == "中國公有雲市場"
