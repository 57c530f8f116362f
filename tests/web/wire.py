"""Bytes to and from a real server, for what an HTTP client would not send."""

import contextlib
import re
import socket
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import uvicorn

from tests.web.fake_service import FakeService
from web.app import create_app
from web.patience import PatientProtocol

QUIET_S = 0.05  # what comes unasked comes sooner than this


class Server:
    """The application behind the server as `yuntu serve` sets it up, in a thread."""

    def __init__(self, service: Any = None, *, http: type[PatientProtocol] = PatientProtocol, **options: Any) -> None:
        """`options`: of create_app; `app` instead of them."""
        app = options.pop("app", None) or create_app(service or FakeService(), **options)
        config = uvicorn.Config(
            app, host="127.0.0.1", port=0, http=http, ws="none", log_config=None, server_header=False,
            limit_concurrency=1000, timeout_graceful_shutdown=1, access_log=False,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 20
        while not self._server.started:
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.01)
        self.port: int = self._server.servers[0].sockets[0].getsockname()[1]

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=10)


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer."""

    status: int
    headers: dict[str, str]
    body: bytes


class Wire:
    """One connection."""

    def __init__(self, port: int, source: str = "127.0.0.1", *, takes_bytes: int | None = None) -> None:
        """`takes_bytes`: what the system receives ahead of who reads here."""
        self._port = port
        self.socket = socket.socket()
        self.socket.settimeout(5.0)
        if takes_bytes is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, takes_bytes)
        self.socket.bind((source, 0))
        self.socket.connect(("127.0.0.1", port))
        self.received = b""

    def __enter__(self) -> "Wire":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def send(self, *parts: bytes | float) -> None:
        """Bytes, and pauses in seconds; no more once the other side has hung up."""
        with contextlib.suppress(ConnectionError):
            for part in parts:
                if isinstance(part, float):
                    time.sleep(part)
                elif part:
                    self.socket.sendall(part)

    def answers(self, count: int) -> list[Reply]:
        """`count` answers, or as many as come before the other side hangs up; and whatever comes unasked."""
        with contextlib.suppress(ConnectionError):
            while len(found := replies(self.received)) < count:
                if not (data := self.socket.recv(1 << 16)):
                    return found
                self.received += data
            self.socket.settimeout(QUIET_S)
            with contextlib.suppress(TimeoutError):
                self.received += self.socket.recv(1 << 16)
            self.socket.settimeout(5.0)
        return replies(self.received)

    def ask(self, *lines: str, body: bytes = b"") -> Reply:
        """One request, well formed, and its answer."""
        lines = (
            *lines,
            *([] if any(x.lower().startswith("host:") for x in lines) else [f"Host: 127.0.0.1:{self._port}"]),
        )
        lines = (*lines, *([f"Content-Length: {len(body)}"] if body else []))
        self.send("\r\n".join((*lines, "", "")).encode() + body)
        [answer] = self.answers(1)
        return answer

    def is_closed(self, within_s: float = 3.0) -> bool:
        """Whether the other side hangs up."""
        self.socket.settimeout(within_s)
        try:
            while data := self.socket.recv(1 << 16):
                self.received += data
        except ConnectionError:
            return True
        except TimeoutError:
            return False
        return True


def replies(data: bytes) -> list[Reply]:
    """The answers that are complete in `data`."""
    found = []
    while (end := data.find(b"\r\n\r\n")) >= 0:
        first, *lines = data[:end].decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        rest = data[end + 4 :]
        if headers.get("transfer-encoding") == "chunked":
            last = re.search(rb"(?:^|\r\n)0\r\n\r\n", rest)
            size = last.end() if last else len(rest) + 1
        else:
            size = int(headers.get("content-length", "0"))
        if size > len(rest):
            break
        found.append(Reply(int(first.split(" ")[1]), headers, rest[:size]))
        data = rest[size:]
    return found
