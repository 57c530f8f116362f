"""Rows on disk: a sequence and a mapping like any other, decoded only where they are looked at."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.rows import ByName, Rows, write_rows

VALUES = [{"n": n, "text": "云\n图" * n} for n in range(7)]


def same(row: Any) -> Any:
    return row


@pytest.fixture
def rows(tmp_path: Path) -> Rows[Any]:
    write_rows(tmp_path / "rows.jsonl", VALUES)
    return Rows(tmp_path / "rows.jsonl", same)


@given(values=st.lists(st.text(max_size=20) | st.integers() | st.lists(st.booleans(), max_size=3), max_size=20))
def test_what_was_written_is_read(values: list[Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    values = [v.encode("utf-8", "replace").decode() if isinstance(v, str) else v for v in values]
    write_rows(path, values)
    found = Rows(path, same)
    assert list(found) == values
    assert found[:] == tuple(values)
    assert [found[n] for n in range(len(found))] == values
    assert len(path.read_bytes().splitlines()) == len(values)


def test_it_is_counted_from_both_ends_and_sliced_as_a_tuple_is(rows: Rows[Any]) -> None:
    assert len(rows) == 7
    for n in range(-7, 7):
        assert rows[n] == VALUES[n]
    for part in (slice(2, 5), slice(None, None, -1), slice(-3, None), slice(5, 2), slice(3, 99), slice(None, None, 3)):
        assert rows[part] == tuple(VALUES[part])
    assert VALUES[3] in rows
    assert rows.index(VALUES[3]) == 3
    assert list(reversed(rows)) == VALUES[::-1]


@pytest.mark.parametrize("n", [7, -8, 10**9])
def test_beyond_the_ends_there_is_no_row(rows: Rows[Any], n: int) -> None:
    with pytest.raises(IndexError):
        rows[n]


def test_no_rows_are_an_empty_sequence(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.jsonl", [])
    rows = Rows(tmp_path / "rows.jsonl", same)
    assert (len(rows), list(rows), rows[:]) == (0, [], ())
    with pytest.raises(IndexError):
        rows[0]


def test_a_row_is_decoded_when_it_is_asked_for_and_then_remembered(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.jsonl", VALUES)
    decoded: list[int] = []
    rows = Rows(tmp_path / "rows.jsonl", lambda row: decoded.append(row["n"]) or row, 2)
    assert decoded == []
    assert rows[4] is rows[4] is rows[-3]
    assert decoded == [4]
    list(rows)  # a walk over all pushes nothing out
    assert rows[4] is rows[4]
    assert decoded == [4, *range(7)]
    rows[1], rows[2], rows[4]
    assert decoded[8:] == [1, 2, 4]


@pytest.mark.parametrize("damage", ["shorter", "longer", "missing", "no-starts", "half-of-the-starts"])
def test_a_file_that_is_not_what_it_was_is_refused(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "rows.jsonl"
    write_rows(path, VALUES)
    raw, starts = path.read_bytes(), path.with_suffix(".npy")
    if damage == "shorter":
        path.write_bytes(raw[:-1])
    elif damage == "longer":
        path.write_bytes(raw + b"\n")
    elif damage == "missing":
        path.unlink()
    elif damage == "no-starts":
        starts.unlink()
    else:
        starts.write_bytes(starts.read_bytes()[:-8])
    with pytest.raises((OSError, ValueError)):
        Rows(path, same)


def test_equal_rows_give_equal_files(tmp_path: Path) -> None:
    for name in "ab":
        write_rows(tmp_path / f"{name}.jsonl", VALUES)
    for suffix in (".jsonl", ".npy"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
    assert [json.loads(line) for line in (tmp_path / "a.jsonl").read_text("utf-8").split("\n")[:-1]] == VALUES


def test_rows_by_name_are_a_mapping(rows: Rows[Any]) -> None:
    by_name = ByName({"第一": 0, "b": 4, "c": 2}, rows)
    assert dict(by_name) == {"第一": VALUES[0], "b": VALUES[4], "c": VALUES[2]}
    assert list(by_name) == ["第一", "b", "c"]
    assert len(by_name) == 3
    assert "b" in by_name
    assert "z" not in by_name
    assert by_name.get("z", ()) == ()
    with pytest.raises(KeyError):
        by_name["z"]
