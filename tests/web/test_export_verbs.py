"""`yuntu ask --format …` and `yuntu figures --format …`: files from the command line."""

import io
import json
import subprocess
import sys
from pathlib import Path

import docx
import openpyxl
import pytest

from index.build import rebuild
from index.settings import Settings
from tests.fakes import FakeEncoder
from web.cli import main

QUESTION = "2025年上半年星澜云的调用量份额是多少？"


@pytest.fixture(autouse=True)
def index(fake_encoder: FakeEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "corpus").mkdir()
    page = "# 星澜云\n\n2025年上半年，星澜云的调用量份额为49.2%。\n\n星澜云总部在杭州。\n"
    (tmp_path / "corpus" / "xinglan.md").write_text(page, encoding="utf-8")
    rebuild([tmp_path / "corpus"], Settings(index=tmp_path / "var" / "index"), lambda: fake_encoder)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("YUNTU_THRESHOLD", "0")


def test_markdown_goes_to_stdout_with_its_footnotes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", QUESTION, "--format", "md"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"## {QUESTION}\n")
    assert "49.2%" in out
    assert "[^1]: 《星澜云》，日期不详，xinglan:" in out


def test_word_goes_to_a_file_with_the_questions_before(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "总部在哪里？", "--turn", QUESTION, "--format", "docx", "--out", "answer.docx"]) == 0
    done = capsys.readouterr()
    assert (done.out, "answer.docx" in done.err) == ("", True)
    heads = [p.text for p in docx.Document("answer.docx").paragraphs if p.style.name == "Heading 1"]
    assert heads == [QUESTION, "总部在哪里？"]


def test_json_by_either_name_is_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", QUESTION, "--json"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert main(["ask", QUESTION, "--format", "json", "--out", "answer.json"]) == 0
    second = json.loads(Path("answer.json").read_text(encoding="utf-8"))
    assert {**first, "timings_ms": {}} == {**second, "timings_ms": {}}


def test_figures_go_to_a_workbook_or_through_a_pipe() -> None:
    assert main(["figures", "--format", "xlsx", "--out", "figures.xlsx"]) == 0
    command = [sys.executable, "-m", "web.cli", "figures", "--format", "xlsx"]
    root = Path(__file__).parents[2]
    piped = subprocess.run(command, capture_output=True, check=True, env={"PYTHONPATH": str(root)}).stdout
    for made in (Path("figures.xlsx").read_bytes(), piped):
        cells = [c.value for c in openpyxl.load_workbook(io.BytesIO(made)).active[2]]
        assert 0.492 in cells


@pytest.mark.parametrize("form", ["json", "csv", "text"])
def test_a_ledger_in_a_file_is_the_one_on_stdout(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["figures", "--format", form]) == 0
    out = capsys.readouterr().out
    assert "49.2%" in out
    assert main(["figures", "--format", form, "--out", "ledger"]) == 0
    assert Path("ledger").read_bytes().decode("utf-8") == out


@pytest.mark.parametrize("command", [["ask", "问", "--format", "docx"], ["figures", "--format", "xlsx"]])
def test_what_a_terminal_cannot_show_is_wrong_usage_there(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with pytest.raises(SystemExit) as stopped:
        main(command)
    assert stopped.value.code == 2
    assert "--out" in capsys.readouterr().err


@pytest.mark.parametrize("both", [["--json", "--format", "md"], ["--format", "pdf"]])
def test_one_form_of_those_there_are(both: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["ask", "问", *both])
    assert stopped.value.code == 2


def test_a_file_that_cannot_be_written_exits_1_with_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", QUESTION, "--format", "md", "--out", "nowhere/a.md"]) == 1
    assert "nowhere/a.md" in capsys.readouterr().err
