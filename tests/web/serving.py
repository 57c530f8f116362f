"""`yuntu serve` as a process of its own, with a fake encoder: it starts in two seconds."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
PROGRAM = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a suite run in the background inherits it ignored
import index.build, index.encode, rag.reader.read
from tests.fakes import FakeEncoder

class Encoder(FakeEncoder):
    def encode_query(self, query):
        if "慢" in query:
            time.sleep(float(os.environ.get("SLOW_S", "1")))
        return super().encode_query(query)

def assistant(settings, *, read=True):
    from index.stores.store import store_of
    from rag.assistant import Assistant
    opened = store_of(settings).open_sound(lambda said: print(said, file=sys.stderr))
    return Assistant(opened, Encoder(), settings)

index.encode.load_encoder = lambda *_, **__: Encoder()
index.build.fingerprint_of = lambda _: FakeEncoder.fingerprint
rag.reader.read.load_reader = lambda _: None
import web.verbs
web.verbs._assistant = assistant
if __name__ == "__main__":
    from web.cli import main
    sys.exit(main())
"""


class Served:
    """A running server. `arguments`: of the command; `real`: with the encoder that ships; `environ`: more settings."""

    def __init__(
        self, folder: Path, index: Path, *arguments: str, port: int | None = None, real: bool = False, **environ: str
    ) -> None:
        program = folder / "program.py"  # workers import it again: it cannot come from -c
        program.write_text(PROGRAM, encoding="utf-8")
        self.port = port or free_port()
        self._environ = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            **({} if real else {"YUNTU_THRESHOLD": "0"}),
            "YUNTU_KEYS": str(folder / "keys.json"),
            **environ,
        }
        self._errors = (folder / f"stderr-{self.port}").open("wb")
        begin = ["-m", "web.cli"] if real else [str(program)]
        command = [sys.executable, *begin, "serve", "--index", str(index), "--port", str(self.port), *arguments]
        self.process = subprocess.Popen(command, cwd=folder, env=self._environ, stderr=self._errors)
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30)

    @property
    def said(self) -> str:
        """Everything on stderr so far."""
        return Path(self._errors.name).read_text(encoding="utf-8")

    def ready(self, seconds: float = 30) -> "Served":
        """Waits until it answers."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert self.process.poll() is None, self.said
            try:
                if self.client.get("/readyz").status_code == 200:
                    return self
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"not ready after {seconds} s: {self.said}")

    def ask(self, question: str, **headers: str) -> httpx.Response:
        return self.client.post("/api/ask", json={"question": question}, headers=headers)

    def megabytes(self) -> float:
        """What it holds in memory."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def stop(self) -> int:
        """Tells it to stop. Returns its exit status."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            return self.process.wait(30)
        finally:
            self.process.kill()
            self.client.close()
            self._errors.close()

    def __enter__(self) -> "Served":
        return self.ready()

    def __exit__(self, *_: Any) -> None:
        self.stop()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port
