"""Agents over MCP, with the protocol's own client: on stdin and stdout of a real process, and over real HTTP."""

import asyncio
import json
import logging
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import httpx2
import jsonschema
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from tests.fakes import FakeEncoder
from tests.index.small import build, write_corpus
from tests.web.fake_service import DIGEST, DOCUMENTS, HOSTILE, IDC, MESSY, FakeService
from tests.web.serving import PROGRAM, ROOT
from tests.web.wire import Server
from web.access import Policy
from web.keys import Keys
from web.mcp_values import MOST_CHARS

TOOLS = {"ask", "search", "figures", "document", "coverage"}
MODES = ["auto", "legacy"]  # the protocol of 2026, and the one that most clients speak
HELLO = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
SPEAKS = {"Accept": "application/json, text/event-stream"}
Talk = Callable[[Client], Awaitable[Any]]


class Door:
    """A server, and clients before it."""

    def __init__(self, **options: Any) -> None:
        self.service = FakeService()
        self.server = Server(self.service, **options)
        self.url = f"http://127.0.0.1:{self.server.port}/mcp"

    def talk(self, say: Talk, mode: str = "auto", **headers: str) -> Any:
        async def talked() -> Any:
            async with client(self.url, mode, headers) as one:
                try:
                    return await say(one)
                except MCPError as e:  # raised out here it comes alone, and not in a group for every task around it
                    return e

        if isinstance(answer := asyncio.run(talked()), MCPError):
            raise answer
        return answer

    def call(self, tool: str, mode: str = "auto", **arguments: Any) -> Any:
        return self.talk(lambda one: one.call_tool(tool, arguments), mode)

    def read(self, uri: str) -> str:
        return str(self.talk(lambda one: one.read_resource(uri)).contents[0].text)


@asynccontextmanager
async def client(url: str, mode: str, headers: dict[str, str]) -> AsyncIterator[Client]:
    async with (
        httpx2.AsyncClient(headers=headers, timeout=20) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as one,
    ):
        yield one


@pytest.fixture(scope="module")
def shared() -> Iterator[Door]:
    door = Door()
    yield door
    door.server.stop()


@pytest.fixture
def door(shared: Door) -> Door:
    shared.service.asked.clear()
    return shared


@pytest.fixture
def doors() -> Iterator[Any]:
    made: list[Door] = []

    def make(**options: Any) -> Door:
        made.append(Door(**options))
        return made[-1]

    yield make
    for one in made:
        one.server.stop()


# --- tools


@pytest.mark.parametrize("mode", MODES)
def test_an_agent_sees_what_it_may_call_and_how(door: Door, mode: str) -> None:
    tools = door.talk(lambda one: one.list_tools(), mode).tools
    assert {t.name for t in tools} == TOOLS
    for tool in tools:
        assert tool.output_schema
        assert tool.annotations
        assert tool.annotations.read_only_hint
        assert not tool.description.isascii()  # in Chinese
        assert any(len(word) > 5 and word.isascii() for word in tool.description.split())  # and in English
        assert all(field.get("description") for field in tool.input_schema["properties"].values()), tool.name


@pytest.mark.parametrize("mode", MODES)
def test_an_answer_is_text_with_footnotes_and_the_whole_answer_with_its_citations(door: Door, mode: str) -> None:
    done = door.call("ask", mode, question="市场规模多大", history=["阿里云呢"], lang="en")
    assert door.service.asked == [("市场规模多大", ("阿里云呢",), "en", None)]
    answer = done.structured_content
    assert not done.is_error
    assert done.content[0].text.startswith(answer["text"])
    assert "[1] IDC" in done.content[0].text
    [citation] = answer["citations"]
    assert IDC.text[citation["start"] : citation["end"]] == citation["quote"]
    assert (answer["index_version"], answer["refused"], answer["support"]) == ("v-fake-1", False, 0.9)


def test_a_refusal_is_no_error_and_says_why(door: Door) -> None:
    done = door.call("ask", question="该买哪只股票？")
    assert (done.is_error, done.structured_content["refused"]) == (False, True)
    assert done.structured_content["reason"] == "advice"


def test_what_is_found_names_its_source_and_place(door: Door) -> None:
    [hit] = door.call("search", query="规模", top_k=3).structured_content["hits"]
    assert IDC.text[hit["start"] : hit["end"]] == hit["text"]
    assert hit["source"] == {
        "doc_id": IDC.doc_id, "title": IDC.title, "publisher": "IDC", "published": "2025-10-16", "url": IDC.url,
        "source_kind": "research",
    }  # fmt: skip


def test_figures_come_with_the_sentence_that_bears_them(door: Door) -> None:
    held = door.call("figures", subject="阿里云", period="2025H1").structured_content
    assert (held["total"], [f["value"] for f in held["figures"]]) == (1, ["24.6%"])
    figure = held["figures"][0]
    assert IDC.text[figure["start"] : figure["end"]] == figure["quote"]
    assert door.call("figures", attribute="没有的").structured_content["total"] == 0


def test_a_document_is_read_a_stretch_at_a_time(door: Door) -> None:
    first = door.call("document", doc_id=MESSY.doc_id).structured_content
    assert (first["start"], first["end"], first["chars"]) == (0, MOST_CHARS, len(MESSY.text))
    rest = door.call("document", doc_id=MESSY.doc_id, start=first["end"]).structured_content
    assert first["text"] + rest["text"] == MESSY.text
    some = door.call("document", doc_id=IDC.doc_id, start=3, end=9).structured_content
    assert some["text"] == IDC.text[3:9]


def test_coverage_says_who_what_and_when(door: Door) -> None:
    held = door.call("coverage", subject="阿里云").structured_content["coverage"]
    assert held["cells"] == [{"subject": "阿里云", "measure": "份额", "periods": [["2025H1", 1]]}]


def test_what_comes_is_as_described(door: Door) -> None:
    schemas = {t.name: t.output_schema for t in door.talk(lambda one: one.list_tools()).tools}
    for tool, arguments in {
        "ask": {"question": "对比两家机构"}, "search": {"query": "规模"}, "figures": {}, "coverage": {},
        "document": {"doc_id": HOSTILE.doc_id},
    }.items():  # fmt: skip
        jsonschema.validate(door.call(tool, **arguments).structured_content, schemas[tool])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("tool", "arguments", "told"),
    [
        ("ask", {"question": " "}, "问题是空的"),
        ("ask", {"question": "长" * 201}, "最多 200 个"),
        ("ask", {}, "参数不对 (bad parameter): question"),
        ("ask", {"question": "a", "lang": "fr"}, "参数不对 (bad parameter): lang"),
        ("ask", {"question": "没有索引"}, "yuntu rebuild"),
        ("ask", {"question": "崩溃"}, "服务内部出错"),
        ("search", {"query": "a", "top_k": 51}, "参数不对 (bad parameter): top_k"),
        ("document", {"doc_id": "../../etc/passwd"}, "没有文档"),
        ("document", {"doc_id": IDC.doc_id, "start": 1000}, "超出范围"),
        ("document", {"doc_id": IDC.doc_id, "start": 9, "end": 3}, "超出范围"),
        ("fly", {}, "fly"),
    ],
)
def test_what_fails_is_said_with_what_to_do_and_no_more(
    door: Door, tool: str, arguments: dict[str, Any], told: str, mode: str
) -> None:
    done = door.call(tool, mode, **arguments)
    assert done.is_error
    assert told in done.content[0].text
    assert "secret" not in done.content[0].text
    assert "Traceback" not in done.content[0].text
    assert "pydantic" not in done.content[0].text
    assert "Error executing" not in done.content[0].text


# --- resources


def test_every_document_is_a_resource_whatever_its_name_holds(door: Door) -> None:
    listed = json.loads(door.read("yuntu://documents"))
    assert [(d["doc_id"], d["title"], d["chars"]) for d in listed] == [
        (d.doc_id, d.title, len(d.text)) for d in DOCUMENTS
    ]
    assert [door.read(d["uri"]) for d in listed] == [d.text for d in DOCUMENTS]
    [template] = door.talk(lambda one: one.list_resource_templates()).resource_templates
    assert template.uri_template == "yuntu://documents/{doc_id}"
    assert [str(r.uri) for r in door.talk(lambda one: one.list_resources()).resources] == ["yuntu://documents"]


@pytest.mark.parametrize("name", ["none", "..%2F..%2Fetc%2Fpasswd", "%00"])
def test_a_document_that_is_not_there_is_told_so(door: Door, name: str) -> None:
    with pytest.raises(MCPError, match="没有文档"):
        door.read(f"yuntu://documents/{name}")


# --- at the door


def test_over_http_it_takes_the_same_key_as_everything_else(doors: Any, tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys.json")
    secret = keys.add("agents", "ask")
    door = doors(policy=Policy(keys))
    for mode in MODES:
        tools = door.talk(lambda one: one.list_tools(), mode, Authorization=f"Bearer {secret}").tools
        assert {t.name for t in tools} == TOOLS
        for headers in ({}, {"Authorization": "Bearer yt_wrong"}):
            with pytest.raises(Exception, match=r"TaskGroup|error"):  # the client's own, in groups
                door.talk(lambda one: one.list_tools(), mode, **headers)
    refused = httpx.post(door.url, json=HELLO, headers=SPEAKS)
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "key_needed")
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")


def test_other_sites_other_hosts_and_what_is_too_large_are_turned_away(doors: Any) -> None:
    door = doors(policy=Policy(hosts=frozenset()))

    def post(**headers: str) -> int:
        return httpx.post(door.url, json=HELLO, headers={**SPEAKS, **headers}).status_code

    assert post() == 200
    assert post(Origin="https://evil.example") == 403
    assert post(Host="evil.example") == 421
    assert httpx.post(door.url, content=b"x" * 100_000, headers=SPEAKS).status_code == 413


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_there_are_no_sessions_to_open_or_end(door: Door, method: str) -> None:
    assert httpx.request(method, door.url, headers=SPEAKS).status_code == 405


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b'{"jsonrpc":"2.0"}', b"\xff\xfe", b"[" * 50_000])
def test_what_is_no_message_is_a_bad_request(door: Door, body: bytes) -> None:
    headers = {**SPEAKS, "Content-Type": "application/json"}
    reply = httpx.post(door.url, content=body, headers=headers)
    assert 400 <= reply.status_code < 500
    assert "Traceback" not in reply.text
    assert door.call("ask", question="规模").is_error is False


def test_a_question_waits_in_the_same_line_and_ends_at_the_same_deadline(doors: Any) -> None:
    late = doors(deadline_s=0.1).call("ask", question="慢")
    assert late.is_error
    assert "0.1 秒内没有答完" in late.content[0].text

    async def at_once(one: Client) -> list[Any]:
        return await asyncio.gather(*(one.call_tool("ask", {"question": "慢"}) for _ in range(8)))

    done = doors(queue=1).talk(at_once)
    busy = [d for d in done if d.is_error]
    assert 0 < len(busy) < 8
    assert all("现在问的人太多" in d.content[0].text for d in busy)


def test_its_questions_are_in_the_log_line_of_their_request(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "yuntu.request"):
        for mode in MODES:
            door.call("ask", mode, question="市场规模")
    lines = [r.__dict__ for r in caplog.records if r.name == "yuntu.request" and getattr(r, "kind", None)]
    assert [(line["route"], line["kind"], line["version"]) for line in lines] == [("POST /mcp", "fact", "v-fake-1")] * 2


def test_it_costs_nothing_until_somebody_speaks_it() -> None:
    program = (
        "import sys, web.app, tests.web.fake_service as f; web.app.create_app(f.FakeService()); "
        "print({'mcp', 'web.mcp_server'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("set()\n", 0)


# --- stdin and stdout


@pytest.fixture
def program(tmp_path: Path, fake_encoder: FakeEncoder) -> list[str]:
    """The arguments that make Python run `yuntu mcp` with the fake encoder."""
    corpus = write_corpus(tmp_path / "corpus", {"own.txt": "2025年，星澜云的营收为100亿元。\n"})
    build(corpus, tmp_path / "index")
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    return [str(tmp_path / "program.py"), "mcp", "--index", str(tmp_path / "index")]


def environ() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "YUNTU_THRESHOLD": "0"}


@pytest.mark.parametrize("mode", MODES)
def test_a_client_that_starts_us_gets_cited_answers(program: list[str], mode: str) -> None:
    async def talked() -> Any:
        process = StdioServerParameters(command=sys.executable, args=program, env=environ())
        async with Client(stdio_client(process), mode=mode) as one:
            tools = {t.name for t in (await one.list_tools()).tools}
            answer = await one.call_tool("ask", {"question": "星澜云2025年的营收是多少？"})
            listed = await one.read_resource("yuntu://documents")
            wrong = await one.call_tool("document", {"doc_id": "none"})
            return tools, answer, json.loads(listed.contents[0].text), wrong

    tools, answer, listed, wrong = asyncio.run(talked())
    assert tools == TOOLS
    assert "100亿元" in answer.content[0].text
    assert answer.structured_content["citations"][0]["quote"] == "2025年，星澜云的营收为100亿元。"
    assert [d["doc_id"] for d in listed] == ["own"]
    assert wrong.is_error


def test_nothing_but_the_protocol_is_on_stdout_and_it_ends_with_stdin(program: list[str]) -> None:
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    said = [{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}, "no json", {"jsonrpc": "2.0"}]
    lines = "".join(f"{s if isinstance(s, str) else json.dumps(s)}\n" for s in said)
    done = subprocess.run(
        [sys.executable, *program], input=lines, capture_output=True, text=True, env=environ(), timeout=60
    )
    assert done.returncode == 0, done.stderr
    replies = [json.loads(line) for line in done.stdout.splitlines()]
    assert replies[0]["result"]["serverInfo"]["name"] == "yuntu"
    assert "ask" in replies[0]["result"]["instructions"]
    assert all(r["jsonrpc"] == "2.0" for r in replies)
    assert "Traceback" not in done.stderr


def test_without_an_index_it_says_what_to_do_and_ends(program: list[str], tmp_path: Path) -> None:
    command = [sys.executable, *program[:-1], str(tmp_path / "none")]
    done = subprocess.run(command, input="", capture_output=True, text=True, env=environ(), timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert "yuntu rebuild" in done.stderr


def test_digests_are_marked_as_such_wherever_they_are_cited(door: Door) -> None:
    answer = door.call("ask", question="对比两家机构").structured_content
    assert [c["source_kind"] for c in answer["citations"] if c["doc_id"] == DIGEST.doc_id] == ["digest"]
