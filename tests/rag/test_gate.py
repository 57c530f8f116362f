"""Floors: what a file may ask for, and when it closes the gate."""

from pathlib import Path
from typing import Any

import pytest

from rag.gate import BadFloors, GateClosed, held_against, pass_or_raise, read_floors

MEASURED: dict[str, Any] = {
    "accuracy": 0.8,
    "by_type": {"fact": {"n": 10, "accuracy": 0.9}, "compare": {"n": 2, "accuracy": 0.5}},
    "false_refusals": 0.1,
    "correct_refusals": None,
    "expected_document_cited": 0.95,
    "quotes_verbatim": 1.0,
    "mean_chars": 120.0,
    "latency_ms": {"p50": 100.0, "p95": 400.0},
}


@pytest.fixture
def closed(tmp_path: Path) -> Any:
    """What breaks of a file of floors; empty when all hold."""

    def against(text: str) -> str:
        path = tmp_path / "floors.toml"
        path.write_text(text, encoding="utf-8")
        try:
            pass_or_raise(held_against(read_floors(path), MEASURED))
        except GateClosed as e:
            return e.message
        return ""

    return against


def test_what_lies_on_a_floor_holds(closed: Any) -> None:
    assert closed("accuracy = 0.8\nverbatim = 1.0\nrefused_wrongly_at_most = 0.1\np95_ms_at_most = 400") == ""


@pytest.mark.parametrize(
    ("floor", "said"),
    [
        ("accuracy = 0.85", "accuracy: 0.8,要求至少 0.85,差 0.05"),
        ("cited = 1", "cited: 0.95,要求至少 1,差 0.05"),
        ("refused_wrongly_at_most = 0.05", "refused_wrongly_at_most: 0.1,要求至多 0.05,高出 0.05"),
        ("p95_ms_at_most = 250", "p95_ms_at_most: 400,要求至多 250,高出 150"),
        ("mean_chars_at_most = 100", "mean_chars_at_most: 120,要求至多 100,高出 20"),
        ("[by_type]\ncompare = 0.6", "by_type.compare: 0.5,要求至少 0.6,差 0.1"),
    ],
)
def test_a_floor_that_breaks_is_named_with_what_was_measured_and_by_how_much(
    closed: Any, floor: str, said: str
) -> None:
    assert said in closed(floor)


def test_only_the_floors_that_break_are_named(closed: Any) -> None:
    said = closed("accuracy = 0.9\nverbatim = 1.0\n[by_type]\nfact = 0.95\ncompare = 0.5")
    assert "accuracy" in said
    assert "by_type.fact" in said
    assert "verbatim" not in said
    assert "compare" not in said


@pytest.mark.parametrize(
    ("text", "named"),
    [
        pytest.param("acuracy = 0.8", "acuracy", id="unknown-name"),
        pytest.param("accuracy = 80", "accuracy = 80", id="a-percentage"),
        pytest.param("accuracy = -0.1", "-0.1", id="negative"),
        pytest.param("accuracy = nan", "nan", id="nan"),
        pytest.param("accuracy = true", "True", id="a-bool"),
        pytest.param('accuracy = "0.8"', "'0.8'", id="a-string"),
        pytest.param("p95_ms_at_most = -1", "p95_ms_at_most", id="negative-time"),
        pytest.param("by_type = 0.9", "by_type", id="no-table"),
        pytest.param("[by_type]\nfcat = 0.9", "by_type.fcat", id="a-type-no-question-has"),
        pytest.param("[by_type]\nfact = 2", "by_type.fact = 2", id="type-out-of-range"),
        pytest.param("refused_rightly = 0.9", "refused_rightly", id="nothing-to-refuse-was-asked"),
        pytest.param("", "floors.toml", id="empty"),
        pytest.param("accuracy = ", "floors.toml", id="no-toml"),
    ],
)
def test_floors_that_could_never_break_or_mean_nothing_are_an_error(closed: Any, text: str, named: str) -> None:
    with pytest.raises(BadFloors, match=r"\w") as caught:
        closed(text)
    assert named in caught.value.message


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadFloors, match="nowhere"):
        read_floors(tmp_path / "nowhere.toml")
