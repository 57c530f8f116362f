"""Vectors are made once: what a killed rebuild had encoded the next one takes over, unless it cannot be trusted."""

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index import vectors
from index.vectors import Encodable, Known, encoded, forget
from tests.fakes import FakeEncoder
from tests.index.small import CountingEncoder, build, write_corpus

PASSAGES = [Encodable(f"第{n}段。价格是{n}元。", ((0, 4), (4, 9))[: n % 3]) for n in range(10)]
TEXTS = {f"{n}.txt": f"第{n}座机房建成了，容量是{n + 3}兆瓦。其余各项没有说明。\n" for n in range(9)}


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "SHARD", 3)


class Killed(BaseException):
    """As if the process were gone."""


class DyingEncoder(CountingEncoder):
    """Encodes so many shards, then no more."""

    def __init__(self, shards: int) -> None:
        super().__init__()
        self._left = shards

    def encode_parts(self, texts: Sequence[str], parts: Any) -> Any:
        if not self._left:
            raise Killed
        self._left -= 1
        return super().encode_parts(texts, parts)


def all_of(root: Path, encoder: FakeEncoder | None = None, known: Known | None = None, recipe: str = "r") -> Any:
    root.mkdir(exist_ok=True)
    return encoded(PASSAGES, known or {}, root, recipe, lambda: encoder or FakeEncoder())


def killed_after(root: Path, shards: int, recipe: str = "r") -> list[str]:
    """The texts that were encoded before it was killed."""
    dying = DyingEncoder(shards)
    with pytest.raises(Killed):
        all_of(root, dying, recipe=recipe)
    return dying.encoded


def shards_in(root: Path) -> list[Path]:
    return sorted((root / ".encoded").glob("*.npz"))


def test_vectors_are_those_of_the_encoder_in_order(tmp_path: Path) -> None:
    rows, parts, fresh = all_of(tmp_path)
    expected = FakeEncoder().encode_parts([p.text for p in PASSAGES], [p.sentences for p in PASSAGES])
    np.testing.assert_array_equal(rows, expected[0])
    np.testing.assert_array_equal(parts, expected[1].astype(np.float16))
    assert fresh == [True] * 10


@pytest.mark.parametrize("shards", [1, 2, 3])
def test_after_a_kill_only_the_rest_is_encoded_and_the_vectors_are_the_same(tmp_path: Path, shards: int) -> None:
    before = killed_after(tmp_path, shards)
    assert len(before) == 3 * shards
    assert len(shards_in(tmp_path)) == shards
    encoder = CountingEncoder()
    found = all_of(tmp_path, encoder)
    assert encoder.encoded == [p.text for p in PASSAGES][3 * shards :]
    for ours, theirs in zip(found, all_of(tmp_path / "elsewhere"), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_shards_of_another_recipe_are_not_read(tmp_path: Path) -> None:
    killed_after(tmp_path, 2, recipe="another")
    encoder = CountingEncoder()
    all_of(tmp_path, encoder)
    assert len(encoder.encoded) == len(PASSAGES)


@pytest.mark.parametrize("at", ["start", "middle", "end"])
def test_a_damaged_shard_is_encoded_again(tmp_path: Path, at: str) -> None:
    killed_after(tmp_path, 2)
    damaged = shards_in(tmp_path)[0]
    raw = bytearray(damaged.read_bytes())
    raw[{"start": 1, "middle": len(raw) // 2, "end": -10}[at]] ^= 0xFF
    damaged.write_bytes(raw)
    encoder = CountingEncoder()
    found = all_of(tmp_path, encoder)
    assert len(encoder.encoded) == 7
    for ours, theirs in zip(found, all_of(tmp_path / "elsewhere"), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_whatever_byte_of_a_shard_is_damaged_the_vectors_are_the_same(tmp_path: Path) -> None:
    """The file's own checks notice, whatever they raise."""
    killed_after(tmp_path, 1)
    (path,) = shards_in(tmp_path)
    sound = path.read_bytes()
    expected = all_of(tmp_path)
    for at in range(0, len(sound), 7):
        raw = bytearray(sound)
        raw[at] ^= 0x55
        path.write_bytes(raw)
        for ours, theirs in zip(all_of(tmp_path), expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)
        for other in shards_in(tmp_path):
            if other != path:
                other.unlink()


@pytest.mark.parametrize("keep", [0, 1, 0.5, -1])
def test_half_a_shard_is_none(tmp_path: Path, keep: float) -> None:
    killed_after(tmp_path, 1)
    (path,) = shards_in(tmp_path)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(keep * len(raw)) if isinstance(keep, float) else keep])
    encoder = CountingEncoder()
    all_of(tmp_path, encoder)
    assert len(encoder.encoded) == len(PASSAGES)


def test_what_is_known_is_not_encoded_and_when_all_is_no_encoder_is_loaded(tmp_path: Path) -> None:
    rows, parts, _ = all_of(tmp_path)
    first = np.cumsum([0, *(len(p.sentences) for p in PASSAGES)])
    known = {p.key: (rows[n], parts[first[n] : first[n + 1]]) for n, p in enumerate(PASSAGES)}

    def never() -> Any:
        raise AssertionError("nothing is to be encoded")

    forget(tmp_path)
    again = encoded(PASSAGES, known, tmp_path, "r", never)
    np.testing.assert_array_equal(again[0], rows)
    np.testing.assert_array_equal(again[1], parts)
    assert again[2] == [False] * 10
    assert not shards_in(tmp_path)


def test_equal_passages_are_encoded_once_and_ones_with_other_sentences_apart(tmp_path: Path) -> None:
    passages = [Encodable("云。价。", ((0, 2),)), Encodable("云。价。", ((0, 2),)), Encodable("云。价。", ((2, 4),))]
    encoder = CountingEncoder()
    rows, parts, _ = encoded(passages, {}, tmp_path, "r", lambda: encoder)
    assert encoder.encoded == ["云。价。", "云。价。"]
    np.testing.assert_array_equal(rows[0], rows[1])
    np.testing.assert_array_equal(parts[0], parts[1])
    assert not np.array_equal(parts[0], parts[2])


def test_less_than_a_shard_is_not_kept(tmp_path: Path) -> None:
    encoded(PASSAGES[:3], {}, tmp_path, "r", FakeEncoder)
    assert not (tmp_path / ".encoded").exists()


def test_shards_that_cannot_be_kept_stop_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("index.vectors.np.savez", full)
    rows, _, _ = all_of(tmp_path)
    assert len(rows) == len(PASSAGES)


# --- in a rebuild -----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("fake_encoder")
def test_a_killed_rebuild_is_gone_on_with_and_a_finished_one_leaves_no_shards(tmp_path: Path) -> None:
    corpus, root = write_corpus(tmp_path / "corpus", TEXTS), tmp_path / "index"
    dying = DyingEncoder(2)
    with pytest.raises(Killed):
        build(corpus, root, dying)
    assert len(shards_in(root)) == 2
    encoder = CountingEncoder()
    version = build(corpus, root, encoder).version
    assert encoder.encoded
    assert not set(encoder.encoded) & set(dying.encoded)
    assert not (root / ".encoded").exists()
    assert build(corpus, tmp_path / "full", full=True).version == version
