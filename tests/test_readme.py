"""The README's commands, answers and tables are the program's own."""

import json
import re
import shlex
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from index.clean import RULES
from index.settings import Settings
from rag.assistant import Assistant
from web.app import create_app
from web.cli import build_parser
from web.verbs import printed

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONSOLE = re.findall(r"```console\n\$ (.+?)\n(.*?)```", README, re.DOTALL)


def verbs() -> set[str]:
    return set(next(a for a in build_parser()._actions if a.dest == "verb").choices)


def test_every_command_is_in_the_table_and_nothing_else() -> None:
    assert set(re.findall(r"`yuntu (\w+)", README)) == verbs()


def test_every_setting_is_named() -> None:
    assert set(re.findall(r"YUNTU_([A-Z_]+)", README)) == {name.upper() for name in Settings.model_fields}


def test_the_first_screen_shows_both_make_targets_and_they_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    first_screen = "\n".join(README.splitlines()[:30])
    for target in ("run", "test"):
        assert f"make {target}" in first_screen
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_every_file_the_layout_names_exists() -> None:
    for name in re.findall(r"(?:docs|bench|rag|web|index|corpus)/[\w/]+\.\w+", README):
        assert (ROOT / name).exists(), name


def test_the_corpus_readme_names_only_real_rules() -> None:
    text = (ROOT / "corpus" / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"keep: \[([a-z_, ]+)\]", text)) <= set(RULES)


@pytest.mark.slow
def test_the_shown_answer_is_the_answer(shipped: Assistant) -> None:
    command, shown = CONSOLE[0]
    assert printed(shipped.ask(shlex.split(command)[-1])).rstrip() == shown.rstrip()


@pytest.mark.slow
def test_the_shown_reply_is_the_reply(shipped: Assistant) -> None:
    command, shown = CONSOLE[1]
    words = shlex.split(command)
    reply = TestClient(create_app(shipped)).post("/api/ask", json=json.loads(words[words.index("-d") + 1])).json()
    expected = json.loads(shown)
    for name, value in expected.items():
        if name == "citations":
            assert [{k: c[k] for k in value[0]} for c in reply[name]] == value
        else:
            # the processor decides how exactly the networks compute: 0.678 with 8 bits, 0.694 with bfloat16
            assert reply[name] == (pytest.approx(value, abs=0.05) if name == "support" else value)


def test_no_placeholder_is_left_in_the_documents() -> None:
    for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"), ROOT / "corpus" / "README.md"):
        assert "@@" not in path.read_text(encoding="utf-8"), path.name
