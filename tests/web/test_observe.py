"""What is said of a request: one line, its numbers, never its words."""

import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from index.errors import EncoderUnavailable, IndexDamaged, IndexUnverified, YuntuError
from rag.progress import STAGES
from rag.values import Answer
from tests.web.fake_service import FakeService
from web.access import Policy
from web.app import create_app
from web.keys import Keys
from web.logs import Lines, config_of
from web.metrics import FOLDER

QUESTION = "崩溃之前的私密问题"
ROOT = Path(__file__).parents[2]
HERE = ("127.0.0.1", 50_000)


class Staged(FakeService):
    """Says how long each stage took, and fails its check when told to."""

    failure: Exception | None = None
    checks = 0

    def ask(self, *args: Any, **more: Any) -> Answer:
        from dataclasses import replace

        return replace(super().ask(*args, **more), timings_ms={**dict.fromkeys(STAGES, 2.0), "total": 14.0})

    def check(self) -> None:
        self.checks += 1
        if self.failure:
            raise self.failure


class Log:
    """The lines as they would go to stderr."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.handler = logging.Handler()
        self.handler.setFormatter(Lines())
        self.handler.emit = lambda record: self.text.append(self.handler.format(record))  # type: ignore[method-assign]

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text]

    def of(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] == event]


@pytest.fixture
def log() -> Iterator[Log]:
    log, ours = Log(), logging.getLogger("yuntu")
    before = ours.level
    ours.setLevel(logging.INFO)
    for logger in (ours, logging.getLogger()):
        logger.addHandler(log.handler)
    ours.propagate = False
    yield log
    for logger in (ours, logging.getLogger()):
        logger.removeHandler(log.handler)
    ours.setLevel(before)
    ours.propagate = True


@pytest.fixture
def service() -> Staged:
    return Staged()


@pytest.fixture
def client(service: Staged) -> TestClient:
    return TestClient(create_app(service), client=HERE, raise_server_exceptions=False)


def ask(client: TestClient, question: str, path: str = "/api/ask", **headers: str) -> Any:
    return client.post(path, json={"question": question}, headers=headers)


def measured(client: TestClient) -> dict[tuple[str, ...], float]:
    """Every sample: name and label values → number."""
    text = client.get("/metrics").text
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


# --- numbers


def test_every_answer_and_its_line_carry_a_number_of_their_own(client: TestClient, log: Log) -> None:
    found = [client.get("/healthz").headers["x-request-id"] for _ in range(50)]
    assert len(set(found)) == 50
    assert all(re.fullmatch("[0-9a-f]{16}", one) for one in found)
    assert [line["id"] for line in log.of("request")] == found


@pytest.mark.parametrize("given_id", ["a", "trace-01.b_C", "x" * 64])
def test_a_clients_own_number_is_taken_over(given_id: str, client: TestClient, log: Log) -> None:
    assert client.get("/healthz", headers={"X-Request-Id": given_id}).headers["x-request-id"] == given_id
    assert log.of("request")[0]["id"] == given_id


@pytest.mark.parametrize("forged", ["", "x" * 65, "a b", 'a"b', "a%0d%0ab", "a;b", "<script>", "a\tb", "\x9b31m", "é"])
def test_what_is_no_plain_word_is_not(forged: str, client: TestClient, log: Log) -> None:
    headers = [(b"x-request-id", forged.encode("latin-1"))]
    assert re.fullmatch("[0-9a-f]{16}", client.get("/healthz", headers=headers).headers["x-request-id"])  # type: ignore[arg-type]
    assert len(log.of("request")[0]["id"]) == 16


# --- lines


@pytest.mark.parametrize(
    ("path", "asked"),
    [("/api/ask", ask), ("/api/ask/stream", ask), ("/ask", ask)],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_question_leaves_one_line_without_its_words(
    path: str, asked: Callable[..., Any], client: TestClient, log: Log
) -> None:
    assert asked(client, "这个秘密有多大?", path).status_code == 200
    [line] = log.lines
    assert line["event"] == "request"
    assert line["route"] == f"POST {path}"
    assert (line["status"], line["kind"], line["mode"], line["version"]) == (200, "fact", "no-reader", "v-fake-1")
    assert line["ms"] >= 0
    assert line["waited_ms"] >= 0
    assert set(line["stages"]) == {*STAGES, "total"}
    assert line["client"] == HERE[0]
    assert "秘密" not in log.text[0]


def test_an_address_with_a_question_in_it_is_not_written_either(client: TestClient, log: Log) -> None:
    client.get("/", params={"q": "这个秘密有多大?", "turn": "另一个秘密"})
    client.get("/documents/秘密")
    client.get("/秘密")
    assert [line["route"] for line in log.lines] == ["GET /", "GET /documents/{doc_id:path}", "GET -"]
    assert "秘密" not in "".join(log.text)


@pytest.mark.parametrize("path", ["/api/ask", "/api/ask/stream", "/ask"])
def test_a_crash_is_told_by_its_place_and_not_by_its_words(path: str, log: Log) -> None:
    class Quoting(FakeService):
        def ask(self, question: str, *args: Any, **more: Any) -> Answer:
            try:
                raise KeyError(question)
            except KeyError as e:
                raise RuntimeError(f"secret detail of {question}") from e

    client = TestClient(create_app(Quoting()), client=HERE, raise_server_exceptions=False)
    response = ask(client, QUESTION, path)
    assert "internal_error" in response.text
    [crash], [line] = log.of("crash"), log.of("request")
    assert crash["failed"].startswith("RuntimeError at test_observe.py:")
    assert crash["id"] == line["id"] == response.headers["x-request-id"]
    for text in (*log.text, response.text):
        assert "secret" not in text
        assert QUESTION not in text
        assert "Traceback" not in text


def test_the_words_are_written_where_that_was_asked_for(service: Staged, log: Log) -> None:
    client = TestClient(create_app(service, log_questions=True), client=HERE)
    ask(client, "市场规模?")
    assert log.of("request")[0]["question"] == "市场规模?"


@given(st.text(min_size=1, max_size=30))
def test_whatever_is_logged_is_one_line_that_steers_no_terminal(text: str) -> None:
    record = logging.LogRecord("yuntu.request", logging.INFO, "", 0, "request", None, None)
    record.question = text + "\n\x1b[2J\x9b31m\u2028\u202e"
    line = Lines().format(record)
    assert len(line.splitlines()) == 1
    assert json.loads(line)["question"] == record.question
    assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]", line)
    line.encode()


def test_who_was_turned_away_leaves_a_line_with_the_reason_and_whose_key_it_was(tmp_path: Path, log: Log) -> None:
    keys = Keys(tmp_path / "keys.json")
    secret = keys.add("team", "ask")
    client = TestClient(create_app(FakeService(), policy=Policy(keys=keys, rate=1)), client=HERE)
    bearer = {"Authorization": f"Bearer {secret}"}
    for headers in ({}, bearer, bearer, {"Authorization": "Bearer yt_wrong-one"}):
        client.get("/api/documents", headers=headers)
    told = [(line["status"], line.get("key"), line.get("refused_by")) for line in log.of("request")]
    assert told == [
        (401, None, "key_needed"),
        (200, "team", None),
        (429, "team", "too_often"),
        (401, None, "key_needed"),
    ]
    assert secret not in "".join(log.text)
    assert "yt_wrong" not in "".join(log.text)


def test_off_leaves_errors_alone() -> None:
    levels = {log: config_of(log)["loggers"]["yuntu"]["level"] for log in ("json", "off")}  # type: ignore[arg-type]
    assert levels == {"json": "INFO", "off": "ERROR"}
    assert config_of("json")["loggers"]["uvicorn.access"]["handlers"] == []  # it would write addresses: questions


# --- measures


def test_answers_refusals_stages_and_requests_are_counted(client: TestClient) -> None:
    for question in ("市场规模?", "对比", "买哪只股票?"):
        ask(client, question)
    found = measured(client)
    assert found["yuntu_answers_total", "fact", "no-reader"] == 1
    assert found["yuntu_answers_total", "conflict", "no-reader"] == 1
    assert found["yuntu_refusals_total", "advice"] == 1
    assert found["yuntu_request_seconds_count", "POST /api/ask", "200"] == 3
    for stage in STAGES:
        assert found["yuntu_stage_seconds_count", stage] == 3
        assert found["yuntu_stage_seconds_sum", stage] == pytest.approx(0.006)
    assert ("yuntu_stage_seconds_count", "total") not in found
    assert found["yuntu_index_info", "v-fake-1"] == 1
    assert found["yuntu_cache", "answers", "misses"] == 3
    assert found["yuntu_requests_running",] == found["yuntu_requests_waiting",] == 0


def test_who_is_turned_away_is_counted_by_reason(tmp_path: Path) -> None:
    policy = Policy(hosts=frozenset(), rate=2)
    app = create_app(FakeService(), policy=policy)
    away = TestClient(app, client=("203.0.113.7", 1), base_url="http://203.0.113.1")
    for _ in range(4):
        away.get("/api/documents")
    away.get("/", headers={"Host": "evil.example"})
    away.post("/api/ask", headers={"Origin": "https://evil.example"})
    away.get("/metrics")
    found = measured(TestClient(app, client=HERE, base_url="http://127.0.0.1"))
    reasons = {key[1]: value for key, value in found.items() if key[0] == "yuntu_turned_away_total"}
    assert reasons == {"too_often": 2, "wrong_host": 1, "cross_origin": 1, "key_needed": 1}


def test_a_question_that_failed_is_counted_and_is_no_answer(client: TestClient) -> None:
    for path in ("/api/ask", "/api/ask/stream"):
        ask(client, "坏索引", path)
    found = measured(client)
    assert found["yuntu_turned_away_total", "index_damaged"] == 2
    assert found["yuntu_request_seconds_count", "POST /api/ask", "503"] == 1
    assert [key for key in found if key[0] == "yuntu_answers_total"] == []


def test_a_process_that_was_killed_runs_nothing_and_serves_no_version_any_more(tmp_path: Path) -> None:
    code = """
import os
from web.metrics import Metrics
if (pid := os.fork()) == 0:
    of_the_dead = Metrics()
    of_the_dead.line(2, 3)
    of_the_dead.index("v-old", 0.0, {})
    of_the_dead.swapped("done")
    os._exit(9)
os.waitpid(pid, 0)
own = Metrics()
own.line(1, 0)
own.index("v-new", 0.0, {})
print(own.exposed().decode())
"""
    environ = {**os.environ, FOLDER: str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environ, cwd=ROOT)
    told = set(done.stdout.splitlines())
    assert {"yuntu_requests_running 1.0", "yuntu_requests_waiting 0.0", 'yuntu_index_info{version="v-new"} 1.0'} <= told
    assert "v-old" not in done.stdout
    assert 'yuntu_index_swaps_total{outcome="done"} 1.0' in told  # what it had counted stays counted


def test_there_is_no_end_of_paths_and_an_end_of_labels(client: TestClient) -> None:
    def labels(numbers: range) -> set[tuple[str, ...]]:
        for n in numbers:
            for path in ("/{n}", "/?q={n}", "/documents/{n}", "/static/{n}", "/market/{n}.csv", "/api/documents/{n}"):
                client.get(path.format(n=n))
            client.request(f"EVIL{n}", f"/{n}")
        client.get("/metrics")
        return set(measured(client))

    few = labels(range(2))
    assert labels(range(2, 40)) == few
    assert "EVIL" not in str(few)


def test_measures_hold_no_words_of_questions(client: TestClient) -> None:
    ask(client, "这个秘密有多大?")
    client.get("/", params={"q": "这个秘密有多大?"})
    assert "秘密" not in client.get("/metrics").text


# --- ready


@pytest.mark.parametrize(
    ("failure", "code"),
    [(IndexDamaged("passages.jsonl"), "index_damaged"), (IndexUnverified("v-fake-1"), "index_unverified"),
     (EncoderUnavailable("x", "y"), "encoder_unavailable")],
    ids=["damaged", "unverified", "encoder"],
)  # fmt: skip
def test_it_is_not_ready_where_answers_cannot_be_relied_on(
    failure: YuntuError, code: str, client: TestClient, service: Staged
) -> None:
    service.failure = failure
    refused = client.get("/readyz")
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, code)
    assert client.get("/healthz").status_code == 200  # alive it is
    service.failure = None
    assert client.get("/readyz").json() == {"status": "ready", "index_version": "v-fake-1"}


def test_a_check_that_crashes_is_not_ready_either(client: TestClient, service: Staged) -> None:
    service.failure = RuntimeError("secret")
    refused = client.get("/readyz")
    assert refused.status_code == 500
    assert "secret" not in refused.text


def test_asking_often_whether_it_is_ready_costs_one_check(
    client: TestClient, service: Staged, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {client.get("/readyz").status_code for _ in range(20)} == {200}
    assert service.checks == 1
    monkeypatch.setattr("web.health.time.monotonic", lambda: 1e12)
    client.get("/readyz")
    assert service.checks == 2
