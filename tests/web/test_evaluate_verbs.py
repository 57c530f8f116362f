"""`yuntu evaluate` and `yuntu questions` at the command line: what they write, and what they exit with."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.index.small import write_corpus
from tests.rag.test_make_questions import ONE
from web.cli import main

pytestmark = pytest.mark.usefixtures("fake_encoder")
ABSENT = {"id": "2", "type": "absent", "question": "谁发明了电话?", "answerable": False}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an index and two questions, one of which cannot be answered rightly."""
    monkeypatch.chdir(tmp_path)
    write_corpus(tmp_path / "corpus", {"one.md": ONE})
    assert main(["rebuild"]) == 0
    rows: list[dict[str, Any]] = [
        {"id": "1", "type": "fact", "question": "2025年上半年阿里云的营收是多少？", "gold": [["无人说过"]]},
        ABSENT,
    ]
    (tmp_path / "q.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return tmp_path


def test_a_broken_floor_exits_1_with_its_name_and_the_scores_and_the_report_are_there(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "floors.toml").write_text("verbatim = 1.0\n[by_type]\nfact = 0.5\n")
    capsys.readouterr()
    assert main(["evaluate", "q.jsonl", "--json", "--gate", "floors.toml", "--report", "r.html"]) == 1
    done = capsys.readouterr()
    result = json.loads(done.out)
    assert [(row["name"], row["holds"]) for row in result["gate"]] == [("verbatim", True), ("by_type.fact", False)]
    assert "by_type.fact: 0,要求至少 0.5,差 0.5" in done.err
    assert "无人说过" in (folder / "r.html").read_text(encoding="utf-8")


def test_floors_that_hold_exit_0(folder: Path) -> None:
    (folder / "floors.toml").write_text("verbatim = 1.0\np95_ms_at_most = 60000\n")
    assert main(["evaluate", "q.jsonl", "--gate", "floors.toml"]) == 0


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ("--report r.pdf", "r.pdf"),
        ("--report nowhere/r.md", "nowhere"),
        ("--gate nowhere.toml", "nowhere.toml"),
        ("--gate wrong.toml", "by_type.nobody"),
    ],
)
def test_what_cannot_work_is_said_before_any_question_is_answered(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, options: str, named: str
) -> None:
    (folder / "wrong.toml").write_text("[by_type]\nnobody = 0.5\n")
    monkeypatch.setattr("rag.opening.opened", lambda *_, **__: pytest.fail("it began to answer"))
    capsys.readouterr()
    assert main(["evaluate", "q.jsonl", *options.split()]) == 1
    done = capsys.readouterr()
    assert named in done.err
    assert done.out == ""


def test_questions_without_gold_are_counted_as_wrong_and_that_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bare.jsonl").write_text('{"question": "2025年上半年阿里云的营收是多少？"}\n', encoding="utf-8")
    capsys.readouterr()
    assert main(["evaluate", "bare.jsonl", "--json"]) == 0
    done = capsys.readouterr()
    assert json.loads(done.out)["accuracy"] == 0
    assert "1 题没有标准答案" in done.err


def test_suggested_questions_are_marked_for_review_say_whether_they_were_answered_and_can_be_evaluated(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["questions", "--suggest", "--count", "6", "--out", "made.jsonl"]) == 0
    rows = [json.loads(line) for line in (folder / "made.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 6
    assert all(row["review"] is True and isinstance(row["answered_right"], bool) for row in rows)
    capsys.readouterr()
    assert main(["evaluate", "made.jsonl", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["accuracy"] == round(sum(row["answered_right"] for row in rows) / 6, 4)


def test_fewer_questions_than_asked_for_are_said_to_be_all_there_are(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["questions", "--suggest", "--count", "500"]) == 0
    done = capsys.readouterr()
    assert 0 < len(done.out.splitlines()) < 500
    assert "要的是 500 题" in done.err


@pytest.mark.parametrize("command", ["questions", "questions --suggest --count 0"])
def test_wrong_usage_exits_2(command: str) -> None:
    with pytest.raises(SystemExit) as left:
        main(command.split())
    assert left.value.code == 2
