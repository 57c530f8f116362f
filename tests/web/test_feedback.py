"""What people say of answers: kept line by line on this machine, never lost in silence."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.web.fake_service import FakeService
from web import feedback
from web.app import create_app
from web.cli import main

SAID = {
    "verdict": "down",
    "question": "份额？",
    "history": [{"question": "火山"}],
    "index_version": "v-1",
    "note": "缺口径",
}


def client_of(path: Path | None) -> TestClient:
    return TestClient(create_app(FakeService(), feedback=path), raise_server_exceptions=False)


def test_feedback_is_kept_and_listed(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    path = tmp_path / "var" / "feedback.jsonl"
    assert client_of(path).post("/api/feedback", json=SAID).status_code == 201
    assert client_of(path).post("/api/feedback", json={"verdict": "up", "question": "规模？"}).status_code == 201
    first, second = feedback.read(path)
    assert (first["verdict"], first["question"], first["turns"], first["note"]) == (
        "down",
        "份额？",
        ["火山"],
        "缺口径",
    )
    assert second["verdict"] == "up"
    monkeypatch.setenv("YUNTU_FEEDBACK", str(path))
    assert main(["feedback", "--verdict", "down"]) == 0
    listed = capsys.readouterr()
    assert "火山 → 份额？" in listed.out
    assert "缺口径" in listed.out
    assert "规模" not in listed.out
    assert main(["feedback", "--json"]) == 0
    assert [json.loads(line)["verdict"] for line in capsys.readouterr().out.splitlines()] == ["down", "up"]


def test_what_people_write_steers_no_terminal(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    path = tmp_path / "feedback.jsonl"
    feedback.write(path, {"verdict": "up", "question": "\x1b]0;owned\x07问", "turns": [], "note": "a\x1b[2J\u2028b\nc"})
    monkeypatch.setenv("YUNTU_FEEDBACK", str(path))
    assert main(["feedback"]) == 0
    out = capsys.readouterr().out
    assert not set(out) & {"\x1b", "\x07", "\u2028"}
    assert "问" in out


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"verdict": "meh"}, 422),
        ({"question": ""}, 400),
        ({"question": "长" * 300}, 413),
        ({"note": "x" * 2001}, 422),
        ({"note": "x" * 100_000}, 413),
        ({"index_version": "v" * 81}, 422),
    ],
)
def test_what_is_no_feedback_is_turned_away_and_not_written(
    tmp_path: Path, changed: dict[str, str], status: int
) -> None:
    path = tmp_path / "feedback.jsonl"
    assert client_of(path).post("/api/feedback", json={**SAID, **changed}).status_code == status
    assert not path.exists()


def test_a_form_of_another_site_cannot_send_any(tmp_path: Path) -> None:
    path = tmp_path / "feedback.jsonl"
    sent = client_of(path).post("/api/feedback", data={"verdict": "up", "question": "规模？"})
    assert sent.status_code == 422
    assert not path.exists()


def test_what_cannot_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    lost = client_of(tmp_path / "file" / "feedback.jsonl").post("/api/feedback", json=SAID)
    assert (lost.status_code, lost.json()["error"]["code"]) == (507, "feedback_lost")
    assert client_of(None).post("/api/feedback", json=SAID).status_code == 507
    monkeypatch.setattr(feedback, "MAX_BYTES", 10)
    full = client_of(tmp_path / "feedback.jsonl").post("/api/feedback", json=SAID)
    assert "full" in full.json()["error"]["message"]


def test_many_at_once_keep_whole_lines_and_a_cut_line_loses_no_other(tmp_path: Path) -> None:
    path = tmp_path / "feedback.jsonl"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: feedback.write(path, {"n": n, "note": "x" * 5000}), range(50)))
    assert sorted(row["n"] for row in feedback.read(path)) == list(range(50))
    with path.open("a") as f:
        f.write('{"n": 50, "no\n[1]\n{"n": 51}\n')
    assert [row["n"] for row in feedback.read(path)][-1] == 51
    assert sum(1 for _ in feedback.read(path)) == 51
    assert list(feedback.read(tmp_path / "none.jsonl")) == []
