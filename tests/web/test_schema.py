"""Requests made up from the API's own description: none of them brings down the server, and it does what it says."""

import contextlib
import time
from collections import Counter
from typing import Any
from unittest import SkipTest

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS
from starlette.testclient import TestClient

from tests.web.fake_service import FakeService
from web.app import create_app
from web.description import Error
from web.exports.forms import CSV, DOCX, XLSX

CASES, SOAKED = 300, 2_000  # at least
PATH = "/api/openapi.json"
CONFORMS = ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    return create_app(FakeService(), feedback=tmp_path_factory.mktemp("said") / "feedback.jsonl")


def made_up(app: FastAPI, operations: list[Any], each: int) -> Counter[tuple[str, int]]:
    """Sends `each` requests as described, and as many that break the description, to every operation."""
    found: Counter[tuple[str, int]] = Counter()
    checks = CHECKS.get_by_names(CONFORMS)

    def put(operation: Any, mode: GenerationMode) -> None:
        @settings(
            max_examples=each, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=HealthCheck
        )
        @given(operation.as_strategy(generation_mode=mode))
        def sent(case: Any) -> None:
            response = case.call()
            found[f"{operation.method} {operation.path}", response.status_code] += 1
            assert response.status_code < 500, case.as_curl_command()
            assert b"Traceback" not in response.content
            case.validate_response(response, checks=checks)

        with contextlib.suppress(Unsatisfiable, SkipTest):  # where nothing can be broken
            sent()

    for operation in operations:
        for mode in GenerationMode:
            put(operation, mode)
    return found


def test_no_request_that_can_be_made_up_is_a_server_error(app: FastAPI, soak: bool) -> None:
    operations = [found.ok() for found in schemathesis.openapi.from_asgi(PATH, app).get_all_operations()]
    began = time.monotonic()
    found = made_up(app, operations, 200 if soak else 30)
    print(f"{found.total()} requests in {time.monotonic() - began:.1f} s: {sorted(found.items())}")
    assert found.total() >= (SOAKED if soak else CASES)
    assert {name for name, _ in found} == {f"{o.method} {o.path}" for o in operations}
    assert {status for _, status in found} >= {200, 201, 404, 422}


def test_the_description_names_every_error_and_its_shape(app: FastAPI) -> None:
    for path, methods in app.openapi()["paths"].items():
        for operation in methods.values():
            told = operation["responses"]
            assert set(told) >= {"400", "401", "403", "413", "422", "429", "503"}, path
            for status in set(told) - {"200", "201"}:
                shape = told[status]["content"]["application/json"]["schema"]
                assert shape == {"$ref": "#/components/schemas/Error"}, (path, status)
                assert told[status]["description"] not in ("", "Validation Error")


def test_an_error_has_that_shape(app: FastAPI) -> None:
    client = TestClient(app)
    for response in (
        client.get("/api/documents/none"),
        client.get("/api/search"),
        client.post("/api/ask", content=b"{"),
        client.post("/api/ask", json={"question": "没有索引"}),
        client.post("/api/ask", json={"question": "x" * 300}),
        client.post("/api/ask", json={"question": "a"}, headers={"Origin": "https://evil.example"}),
    ):
        assert response.status_code >= 400
        assert Error.model_validate_json(response.content, strict=True, extra="forbid").error.code


def test_the_description_says_what_is_streamed_and_what_is_a_table(app: FastAPI) -> None:
    paths = app.openapi()["paths"]
    assert set(paths["/api/ask/stream"]["post"]["responses"]["200"]["content"]) == {"text/event-stream"}
    assert set(paths["/api/figures"]["get"]["responses"]["200"]["content"]) == {"application/json", CSV, XLSX}
    assert set(paths["/api/ask"]["post"]["responses"]["200"]["content"]) == {"application/json", "text/markdown", DOCX}
