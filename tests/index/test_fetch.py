"""Getting a page: what is taken, and what is refused. A real server on loopback plays the web."""

import http.server
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from index import fetch as fetching
from index.errors import FetchFailed
from index.fetch import fetch

pytestmark = pytest.mark.alone

PAGE = "<html><body><p>云市场的份额没有变化。</p></body></html>".encode()


class Web(http.server.BaseHTTPRequestHandler):
    """A page at /; redirects, errors and endless answers elsewhere."""

    def do_GET(self) -> None:
        if self.path == "/":
            self._say(200, PAGE, "text/html; charset=utf-8")
        elif self.path.startswith("/to?"):
            self._say(302, b"", "text/html", location=self.path[4:])
        elif self.path == "/round":
            self._say(301, b"", "text/html", location="/round")
        elif self.path == "/large":
            self._say(200, b"x" * 3000, "text/plain")
        elif self.path == "/slow":
            self.send_response(200)
            self.end_headers()
            for _ in range(50):
                self.wfile.write(b"x")
                time.sleep(0.1)
        elif self.path == "/slow-head":
            self.wfile.write(b"HTTP/1.0 200 OK\r\n")
            for n in range(50):
                self.wfile.write(b"X-%d: y\r\n" % n)
                time.sleep(0.2)
        elif self.path == "/bomb":
            import gzip

            self._say(200, gzip.compress(b"x" * 1_000_000), "text/html", encoding="gzip")
        else:
            self._say(404, b"", "text/html")

    def _say(self, status: int, body: bytes, kind: str, *, location: str = "", encoding: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if location:
            self.send_header("Location", location)
        if encoding:
            self.send_header("Content-Encoding", encoding)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None: ...


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Web)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def why(url: str, *, allow_private: bool = True) -> str:
    with pytest.raises(FetchFailed) as failed:
        fetch(url, allow_private=allow_private)
    return failed.value.message


def test_a_page_and_where_it_was_found_after_redirects(web: str) -> None:
    got = fetch(f"{web}/to?/to?/", allow_private=True)
    assert (got.content, got.content_type, got.url) == (PAGE, "text/html", f"{web}/")


def test_addresses_inside_the_network_are_refused_unless_asked_for(web: str) -> None:
    assert "private" in why(web, allow_private=False)


@pytest.mark.parametrize(
    "host",
    ["localhost", "127.0.0.1", "127.1", "0.0.0.0", "[::1]", "[::ffff:10.0.0.1]", "10.1.2.3", "192.168.0.1",
     "169.254.169.254", "2130706433", "0x7f000001", "[fe80::1]", "100.64.0.1", "224.0.0.1",
     "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::127.0.0.1]", "[fec0::1]"],
)  # fmt: skip
def test_every_spelling_of_an_inside_address_is_refused_before_anything_is_sent(host: str) -> None:
    assert "private" in why(f"http://{host}:9/", allow_private=False)


def test_a_name_that_means_an_inside_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def inside(*args: object, **kwargs: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("93.184.216.34", 0)),
                (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("10.0.0.7", 0))]  # fmt: skip

    monkeypatch.setattr(socket, "getaddrinfo", inside)
    assert "10.0.0.7" in why("http://rebound.example/", allow_private=False)


def test_a_redirect_into_the_network_is_refused(web: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    real = fetching._checked_address

    def check(url: str, host: str, allow_private: bool) -> str:
        seen.append(host)
        return real(url, host, allow_private=len(seen) == 1)  # as if the first were on the open web

    monkeypatch.setattr(fetching, "_checked_address", check)
    assert "private" in why(f"{web}/to?http://localhost:9/", allow_private=False)
    assert seen == ["127.0.0.1", "localhost"]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://example.com/a", "http"),
        ("file:///etc/passwd", "http"),
        ("http://", "http"),
        ("http://[broken/", "malformed"),
        ("http://example.com:99999/", "malformed"),
        ("http://no-such-host.invalid/", "unknown host"),
        ("http://127.0.0.1:9/", "cannot be reached"),
    ],
)
def test_what_cannot_be_got_is_said(url: str, said: str) -> None:
    assert said in why(url)


def test_errors_loops_and_answers_without_end(web: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "404" in why(f"{web}/gone")
    assert "redirects" in why(f"{web}/round")
    monkeypatch.setattr(fetching, "MAX_BYTES", 2000)
    assert "too large" in why(f"{web}/large")
    assert "too large" in why(f"{web}/bomb")
    monkeypatch.setattr(fetching, "TIMEOUT_S", 0.5)
    began = time.monotonic()
    assert "too long" in why(f"{web}/slow")
    assert "too long" in why(f"{web}/slow-head")
    assert time.monotonic() - began < 5


def test_a_host_in_other_letters_is_no_traceback() -> None:
    assert "private" in why("http://ｌｏｃａｌｈｏｓｔ:9/", allow_private=False)
    assert "unknown host" in why("http://没有这个域名.invalid/")
