"""Compiled networks on disk: a kept one runs as a fresh one does, and nothing wrong with the folder stops a start."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index.compiled import compiled

X = np.random.default_rng(2).normal(0, 1, (3, 32)).astype(np.float32)


class Maker:
    """Makes a small network and counts how often it is asked to."""

    def __init__(self, seed: int = 1) -> None:
        self.made = 0
        self._weights = np.random.default_rng(seed).normal(0, 1, (16, 32)).astype(np.float32)

    def __call__(self) -> Any:
        import openvino
        from openvino import opset13 as op

        self.made += 1
        x = op.parameter([-1, 32], openvino.Type.f32, name="x")
        return openvino.Model([op.gelu(op.matmul(x, op.constant(self._weights), False, True), "erf")], [x], "small")


def output(network: Any) -> bytes:
    return np.array(next(iter(network([X]).values()))).tobytes()


def kept_in(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def test_a_kept_network_gives_the_same_bytes_as_a_fresh_one_and_is_not_made_again(tmp_path: Path) -> None:
    make, folder = Maker(), tmp_path / "var" / "cache"
    fresh, first, second = compiled(make), compiled(make, "a", folder), compiled(make, "a", folder)
    assert output(fresh) == output(first) == output(second)
    assert make.made == 2
    assert [p.suffix for p in kept_in(folder)] == [".openvino"]


def test_what_is_made_of_something_else_or_computed_otherwise_is_kept_apart(tmp_path: Path) -> None:
    one, other = Maker(1), Maker(2)
    compiled(one, "a", tmp_path)
    assert output(compiled(other, "b", tmp_path)) == output(compiled(other))
    compiled(one, "a", tmp_path, exact=True)
    assert len(kept_in(tmp_path)) == 3
    assert one.made == 2


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda raw: b"", id="empty"),
        pytest.param(lambda raw: raw[:20], id="inside-the-digest"),
        pytest.param(lambda raw: raw[:-1], id="one-byte-short"),
        pytest.param(lambda raw: raw[:-9] + bytes([raw[-9] ^ 1]) + raw[-8:], id="a-bit-flipped"),
        pytest.param(lambda raw: raw + b"\0", id="one-byte-more"),
        pytest.param(lambda raw: b"\0" * len(raw), id="zeros"),
    ],
)
def test_a_damaged_kept_network_is_made_anew_and_kept_again(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    make = Maker()
    expected = output(compiled(make, "a", tmp_path))
    (path,) = kept_in(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    assert output(compiled(make, "a", tmp_path)) == expected
    assert make.made == 2
    assert output(compiled(make, "a", tmp_path)) == expected
    assert make.made == 2
    assert kept_in(tmp_path) == [path]


def test_where_nothing_can_be_kept_it_is_made_each_time(tmp_path: Path) -> None:
    make = Maker()
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/nowhere")):
        assert output(compiled(make, "a", folder)) == output(compiled(make))
    assert make.made == 6


def test_a_full_disk_leaves_no_half_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    make = Maker()
    monkeypatch.setattr(Path, "replace", full)
    assert output(compiled(make, "a", tmp_path)) == output(compiled(make))
    assert kept_in(tmp_path) == []


def test_of_nothing_kept_the_parent_folders_are_made(tmp_path: Path) -> None:
    compiled(Maker(), "a", tmp_path / "a" / "b")
    assert len(kept_in(tmp_path / "a" / "b")) == 1
