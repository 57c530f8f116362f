"""The reader's weights: what is not ours, or not whole, is refused with what to do."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from index.embedded_e5 import weights_digest
from index.errors import ReaderUnavailable
from rag.reader.adapter import FORMAT, Adapter

MADE = {"format": FORMAT, "encoder": weights_digest(), "scale": "2.0", "trained": "{}"}
HEADS = {"heads.weight": np.ones((3, 4), np.float16), "heads.bias": np.zeros(3, np.float16)}
LAYER = "encoder.layer.0.output.dense"
FACTORS = {f"{LAYER}.lora_A.weight": np.ones((2, 4), np.float16), f"{LAYER}.lora_B.weight": np.ones((3, 2), np.float16)}


def written(folder: Path, tensors: dict[str, np.ndarray] | None = None, **made: str) -> Path:
    path = folder / "reader.safetensors"
    save_file({**HEADS, **FACTORS} if tensors is None else tensors, path, metadata={**MADE, **made})
    return path


def test_what_was_trained_is_added_and_the_rest_is_left(tmp_path: Path) -> None:
    adapter = Adapter.read(written(tmp_path))
    np.testing.assert_array_equal(adapter.change(LAYER), np.full((3, 4), 4.0))  # scale 2 × rank 2 of ones
    assert adapter.change("encoder.layer.1.output.dense") == 0.0


def test_the_same_file_has_the_same_digest_and_another_another(tmp_path: Path) -> None:
    path = written(tmp_path)
    first = Adapter.read(path).digest
    assert Adapter.read(path).digest == first
    assert Adapter.read(written(tmp_path, scale="1.0")).digest != first


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ReaderUnavailable, match="YUNTU_READER=off"):
        Adapter.read(tmp_path / "nothing.safetensors")


@pytest.mark.parametrize("keep", [0, 7, 60, 0.5, 0.99])
def test_a_cut_off_file_is_not_read(tmp_path: Path, keep: float) -> None:
    path = written(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[: int(keep if keep > 1 else keep * len(data))])
    with pytest.raises(ReaderUnavailable):
        Adapter.read(path)


@pytest.mark.parametrize("made", [{"encoder": "another"}, {"format": "1"}], ids=["backbone", "format"])
def test_weights_of_another_version_are_refused(tmp_path: Path, made: dict[str, str]) -> None:
    with pytest.raises(ReaderUnavailable, match="another version"):
        Adapter.read(written(tmp_path, **made))


@pytest.mark.parametrize("made", [{"scale": "two"}, {"trained": "{"}], ids=["scale", "trained"])
def test_unreadable_metadata_is_refused(tmp_path: Path, made: dict[str, str]) -> None:
    with pytest.raises(ReaderUnavailable):
        Adapter.read(written(tmp_path, **made))


def test_weights_without_heads_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReaderUnavailable, match="heads"):
        Adapter.read(written(tmp_path, FACTORS))
