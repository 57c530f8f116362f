"""The editable word files, checked."""

from typing import Any

import pytest

from index import lexicon_check
from index.lexicon_check import problems


def test_the_files_we_ship_are_sound() -> None:
    assert problems() == []


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"entities": [["甲", "a"], ["乙", "A"]]}, "entities: a 同在几组"),
        ({"entities": [["甲", ""]]}, "空的"),
        ({"glossary": {"(open": "开"}}, "不是正则"),
    ],
)
def test_what_contradicts_itself_is_named(monkeypatch: pytest.MonkeyPatch, table: dict[str, Any], problem: str) -> None:
    monkeypatch.setattr(lexicon_check, "FILES", (("index", "aliases"),))
    monkeypatch.setattr(lexicon_check, "read", lambda package, name: table)
    assert any(problem in line for line in problems())


def test_a_pattern_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lexicon_check, "FILES", (("rag", "question"),))
    monkeypatch.setattr(lexicon_check, "read", lambda package, name: {"wants": {"rank": "(第几"}})
    assert len(problems()) == 1
    assert problems()[0].startswith("rag/lexicon/question.toml: wants.rank: 不是正则")


def test_a_file_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(package: str, name: str) -> dict[str, Any]:
        raise ValueError("line 3")

    monkeypatch.setattr(lexicon_check, "read", broken)
    assert len(problems()) == len(lexicon_check.FILES)
