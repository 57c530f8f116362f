"""The dense leg: exact while it is small, nearly so when it is large, and the same files for the same vectors."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from index import dense
from index.dense import Dense

COUNT, WIDTH, TOP = 2000, 64, 10


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    """Unit vectors around forty means, as texts of a corpus are."""
    rng = np.random.default_rng(7)
    means = rng.normal(0, 1, (40, WIDTH))
    found = means[rng.integers(0, 40, COUNT)] + rng.normal(0, 0.6, (COUNT, WIDTH))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def by_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dense, "EXACT_UP_TO", 100)


def exact(rows: np.ndarray, vector: np.ndarray, most: int = TOP) -> list[int]:
    halves = rows.astype(np.float16).astype(np.float32)  # as they are kept
    found: list[int] = np.argsort(-(halves @ vector), kind="stable")[:most].tolist()
    return found


def files_of(built: Dense, folder: Path) -> dict[str, str]:
    folder.mkdir()
    built.save(folder)
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


def test_while_it_is_small_the_nearest_are_exact(rows: np.ndarray) -> None:
    built = Dense.build(rows)
    assert len(built) == COUNT
    for asked in rows[::100]:
        assert built.nearest(asked, TOP).tolist() == exact(rows, asked)


@pytest.mark.usefixtures("by_codes")
def test_when_it_is_large_nearly_all_of_the_nearest_are_found(rows: np.ndarray) -> None:
    built = Dense.build(rows)
    rng = np.random.default_rng(8)
    recall = []
    for n in rng.integers(0, COUNT, 100):
        asked = rows[n] + rng.normal(0, 0.05, WIDTH).astype(np.float32)
        asked /= np.linalg.norm(asked)
        # more are asked for than are wanted: 8 bits may swap neighbours, and what is found is scored exactly
        found = built.nearest(asked, 5 * TOP)
        assert len(set(found.tolist())) == 5 * TOP
        best = found[np.argsort(-(built.rows(found) @ asked), kind="stable")][:TOP]
        recall.append(np.isin(exact(rows, asked), best).mean())
    assert np.mean(recall) >= 0.97


def test_more_than_there_are_gives_all(rows: np.ndarray) -> None:
    built = Dense.build(rows[:5])
    assert sorted(built.nearest(rows[0], 50).tolist()) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("exact_up_to", [COUNT, 100], ids=["exact", "by-codes"])
def test_what_was_saved_opens_as_it_was(
    rows: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exact_up_to: int
) -> None:
    monkeypatch.setattr(dense, "EXACT_UP_TO", exact_up_to)
    built = Dense.build(rows)
    built.save(tmp_path)
    opened = Dense.open(tmp_path)
    assert len(opened) == COUNT
    some = np.array([3, 0, 1999, 3])
    np.testing.assert_array_equal(opened.rows(some), built.rows(some))
    np.testing.assert_array_equal(opened.rows(some), rows[some].astype(np.float16).astype(np.float32))
    for asked in rows[::200]:
        np.testing.assert_array_equal(opened.nearest(asked, TOP), built.nearest(asked, TOP))


@pytest.mark.parametrize("exact_up_to", [COUNT, 100], ids=["exact", "by-codes"])
def test_the_same_vectors_give_the_same_files(
    rows: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exact_up_to: int
) -> None:
    monkeypatch.setattr(dense, "EXACT_UP_TO", exact_up_to)
    first = files_of(Dense.build(rows), tmp_path / "1")
    assert files_of(Dense.build(rows), tmp_path / "2") == first
    taken_over = Dense.open(tmp_path / "1").rows(np.arange(COUNT))  # as a rebuild takes them
    assert files_of(Dense.build(taken_over), tmp_path / "3") == first


@pytest.mark.parametrize("name", ["vectors.npy", "vectors.faiss"])
@pytest.mark.parametrize("raw", [None, b"\x93NUMPY\x01\x00"], ids=["missing", "cut-off"])
def test_files_that_are_not_whole_are_refused(rows: np.ndarray, tmp_path: Path, name: str, raw: bytes | None) -> None:
    Dense.build(rows[:50]).save(tmp_path)
    (tmp_path / name).unlink()
    if raw is not None:
        (tmp_path / name).write_bytes(raw)
    with pytest.raises((OSError, ValueError, RuntimeError)):
        Dense.open(tmp_path)
