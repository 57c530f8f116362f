"""The engines that stores run on, started for tests: on loopback, in folders of their own."""

import os
import signal
import socket
import subprocess
import sys
import time
import venv
from pathlib import Path

from tests.conftest import ROOT

SERVER = ROOT / "var" / "milvus-server"  # an environment of its own: the wheel wants an older client and setuptools
SERVER_WANTS = ("milvus==2.3.5", "pymilvus<2.4", "setuptools<81")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as s:
        return int(s.getsockname()[1])


class Engine:
    """A Milvus in a process of its own."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.folder = folder
        self.environ = environ
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"milvus://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        program = Path(sys.executable).parent / "milvus-lite"
        data = ["--data-dir", str(self.folder / "data"), "--host", "127.0.0.1"]
        return [str(program), "server", *data, "--port", str(self.port)]

    def start(self, seconds: float = 30) -> "Engine":
        """Starts it, where it was not, or was killed; returns when it listens."""
        self.folder.mkdir(parents=True, exist_ok=True)
        environ = {**os.environ, **self.environ}
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, env=environ, start_new_session=True)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
            with socket.socket() as s:
                # a port of the kind that calls are made from may have called itself
                if s.connect_ex(("127.0.0.1", self.port)) == 0 and s.getsockname() != s.getpeername():
                    return self
            time.sleep(0.05)
        raise AssertionError("it does not start")

    def end(self, by: signal.Signals = signal.SIGKILL) -> None:
        """Ends it, and what it has started."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, by)
            self.process.wait(60)

    def hang(self, *, on: bool = True) -> None:
        """It is there and answers nothing, or goes on."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGSTOP if on else signal.SIGCONT)


class RealServer(Engine):
    """The server of the `milvus` wheel: etcd, storage and all in one process. It takes half a minute to start."""

    def command(self) -> list[str]:
        return [
            str(SERVER / "bin" / "milvus-server"),
            "--data",
            str(self.folder / "data"),
            "--proxy-port",
            str(self.port),
        ]

    def start(self, seconds: float = 120) -> "Engine":
        if not (SERVER / "bin" / "milvus-server").exists():
            venv.create(SERVER, with_pip=True)
            subprocess.run([SERVER / "bin" / "pip", "install", "--quiet", *SERVER_WANTS], check=True, timeout=600)
        return super().start(seconds)
