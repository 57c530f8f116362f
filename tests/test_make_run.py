"""`make run` as a stranger runs it: it builds the index, serves the page, and starts quickly the second time."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = pytest.mark.alone

ROOT = Path(__file__).parents[1]


@contextmanager
def make_run(index: Path) -> Iterator[tuple[str, float]]:
    """The server's address and how long it took to answer, in seconds; ended with Ctrl-C."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    environment = {**os.environ, "YUNTU_INDEX": str(index), "PORT": str(port)}
    began = time.monotonic()
    with subprocess.Popen(["make", "run"], cwd=ROOT, env=environment, start_new_session=True) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            while True:
                assert process.poll() is None, "make run ended early"
                assert time.monotonic() - began < 240, "make run does not answer"
                try:
                    with urllib.request.urlopen(f"{address}/readyz", timeout=5):
                        break
                except OSError:
                    time.sleep(0.2)
            yield address, time.monotonic() - began
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(30)


@pytest.mark.slow
def test_make_run_serves_a_page_that_answers_and_starts_quickly_again(tmp_path: Path) -> None:
    with make_run(tmp_path / "index") as (address, _):
        body = json.dumps({"question": "阿里云在全球有多少个可用区？"}).encode()
        request = urllib.request.Request(f"{address}/api/ask", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as reply:
            assert "89" in json.load(reply)["text"]
        with urllib.request.urlopen(f"{address}/", timeout=30) as page:
            assert "云图问答" in page.read().decode()
    with make_run(tmp_path / "index") as (_, took_s):
        assert took_s < 30  # under 15 on a quiet machine; an index built again would take over 30
