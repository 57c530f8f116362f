"""Any sentence-transformers model as the encoder: its prompts, its order, its unit rows."""

from typing import Any

import numpy as np
import pytest

from index.named_encoder import SentenceTransformerEncoder


class _RecordingModel:
    """As much of SentenceTransformer as the encoder uses: remembers what it was given, answers with text lengths."""

    def __init__(self, prompts: dict[str, str]) -> None:
        self.prompts = prompts
        self.seen: list[tuple[str | None, list[str]]] = []

    def encode_query(self, texts: list[str], *, prompt: str | None, **_: Any) -> np.ndarray[Any, Any]:
        self.seen.append((prompt, texts))
        return np.array([[len(text), 1.0, 1.0] for text in texts], np.float64)

    encode_document = encode_query


@pytest.mark.parametrize(
    ("name", "prompts", "expected"),
    [
        pytest.param("x/y", {"query": "q:", "document": "d:"}, ("q:", "d:"), id="its-own"),
        pytest.param("x/y", {"query": "q:", "document": "", "passage": "p:"}, ("q:", "p:"), id="passage-behind-empty"),
        pytest.param("x/y", {"query": "", "document": ""}, (None, None), id="none"),
        pytest.param("intfloat/multilingual-e5-small", {"query": ""}, ("query: ", "passage: "), id="e5-without"),
        pytest.param("/models/e5-base-v2", {}, ("query: ", "passage: "), id="e5-folder"),
        pytest.param("intfloat/e5-small", {"query": "Q ", "document": "D "}, ("Q ", "D "), id="e5-with-its-own"),
        pytest.param("intfloat/multilingual-e5-large-instruct", {}, (None, None), id="e5-instruct-is-another-form"),
    ],
)
def test_prompts(name: str, prompts: dict[str, str], expected: tuple[str | None, str | None]) -> None:
    model: Any = _RecordingModel(prompts)
    encoder = SentenceTransformerEncoder(model, name=name, fingerprint="f")
    model.seen.clear()
    encoder.encode_query("问")
    encoder.encode_passages(["答"])
    assert [prompt for prompt, _ in model.seen] == list(expected)


def test_rows_come_back_in_the_order_given_though_batches_are_sorted_by_length() -> None:
    model: Any = _RecordingModel({})
    encoder = SentenceTransformerEncoder(model, name="m", fingerprint="f")
    model.seen.clear()
    texts = ["字" * (1 + i * 7 % 50) for i in range(50)]
    rows = encoder.encode_passages(texts)
    np.testing.assert_allclose(rows[:, 0] / rows[:, 1], [len(text) for text in texts], rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, rtol=1e-6)
    lengths = [len(text) for _, batch in model.seen for text in batch]
    assert lengths == sorted(lengths, reverse=True)
    assert rows.dtype == np.float32
    assert encoder.encode_passages([]).shape == (0, 3)


def test_half_a_surrogate_pair_is_encoded_as_a_question_mark() -> None:
    model: Any = _RecordingModel({})
    SentenceTransformerEncoder(model, name="m", fingerprint="f").encode_query("价\ud83d格")
    assert model.seen[-1] == (None, ["价?格"])
