"""The OpenVINO network built from the weights file computes what transformers' BertModel computes with them."""

from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import e5_network
from index.e5_network import TOKEN_STEP, TokenEmbeddings, padded, read_ranges, states_by, write_ranges
from index.embedded_e5 import shipped_file
from index.errors import EncoderUnavailable

PRECISIONS = ("float32", "bfloat16", "int8")


@given(st.lists(st.lists(st.integers(3, 250_000), min_size=1, max_size=70), min_size=1, max_size=6))
def test_padding_loses_no_token_and_says_which_are_read(rows: list[list[int]]) -> None:
    ids, mask = padded(rows)
    assert ids.shape == mask.shape
    assert ids.shape[1] % TOKEN_STEP == 0
    assert max(map(len, rows)) <= ids.shape[1] < max(map(len, rows)) + TOKEN_STEP
    assert [row[: len(given)].tolist() for row, given in zip(ids, rows, strict=True)] == rows
    assert mask.sum(1).tolist() == [len(row) for row in rows]
    assert not ids[mask == 0].any()


def test_ranges_come_back_as_they_were_written(tmp_path: Path) -> None:
    ranges = {"a.b": (np.array([-1.5, 0], np.float32), np.array([2, 0.25], np.float32))}
    write_ranges(ranges, tmp_path / "r.safetensors")
    found = read_ranges(tmp_path / "r.safetensors")
    assert set(found) == {"a.b"}
    for ours, theirs in zip(found["a.b"], ranges["a.b"], strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert ours.dtype == np.float32


@pytest.mark.parametrize("raw", [None, b"", b"\xff" * 100])
def test_ranges_that_cannot_be_read_are_a_clear_error(tmp_path: Path, raw: bytes | None) -> None:
    path = tmp_path / "r.safetensors"
    if raw is not None:
        path.write_bytes(raw)
    with pytest.raises(EncoderUnavailable, match=r"r\.safetensors.*reinstall"):
        read_ranges(path)


def test_the_ranges_that_ship_cover_what_every_linear_layer_reads() -> None:
    file = shipped_file()
    with as_file(files("index") / "e5_ranges.safetensors") as path:
        ranges = read_ranges(path)
    for n in range(file.layers):
        for layer, (least, most) in {
            name: ranges[f"encoder.layer.{n}.{name}"]
            for name in ("attention.self", "attention.output.dense", "intermediate.dense", "output.dense")
        }.items():
            assert least.shape == most.shape == ((file.ffn if layer == "output.dense" else file.hidden),)
            assert (least <= most).all()


def test_the_precision_is_one_we_know_and_the_same_when_asked_again() -> None:
    assert e5_network.precision() in PRECISIONS
    assert e5_network.precision() == e5_network.precision()


# --- slow: the real weights -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def batch() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    return padded([rng.integers(5, 200_000, n).tolist() for n in (44, 17, 30)])


@pytest.fixture(scope="module")
def by_torch(batch: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    from index.e5_torch import torch_states

    return torch_states(shipped_file())(*batch)


def means(states: np.ndarray, mask: np.ndarray) -> np.ndarray:
    rows: Any = (states * mask[:, :, None]).sum(1)
    found: np.ndarray = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return found


@pytest.mark.slow
def test_in_float32_it_is_the_same_as_in_torch(batch: tuple[np.ndarray, np.ndarray], by_torch: np.ndarray) -> None:
    import openvino

    from index.compiled import compiled

    file, (ids, mask) = shipped_file(), batch
    body = e5_network.body(file, e5_network.linear)
    run = compiled(lambda: openvino.Model([body.states], [body.embeddings, body.mask], "exact"), exact=True)
    states = next(iter(run([TokenEmbeddings(file)(ids), mask]).values()))
    assert states.shape == (*ids.shape, file.hidden)
    np.testing.assert_allclose(means(states, mask), means(by_torch, mask), atol=1e-5)
    np.testing.assert_allclose(states[mask > 0], by_torch[mask > 0], atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_in_every_precision_it_is_close_to_float32(
    batch: tuple[np.ndarray, np.ndarray], by_torch: np.ndarray, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(e5_network, "precision", lambda: precision)
    with as_file(files("index") / "e5_ranges.safetensors") as ranges:
        states = states_by(shipped_file(), ranges)(*batch)
    cosines = np.sum(means(states, batch[1]) * means(by_torch, batch[1]), axis=1)
    assert cosines.min() >= (0.995 if precision == "int8" else 0.9999)  # of random tokens: no text is like them
