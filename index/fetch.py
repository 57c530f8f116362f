"""A web address → bytes, within limits, and never from an address inside the network unless that is asked for.

The name is resolved once and the connection made to the very address that was checked, so that a name cannot mean one
machine when it is checked and another when it is fetched. Every redirect is checked the same way.
"""

import ipaddress
import socket
import threading
import time
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import urllib3
from urllib3.exceptions import HTTPError, LocationParseError

from index.errors import FetchFailed

MAX_BYTES = 20_000_000
MAX_REDIRECTS = 5
TIMEOUT_S = 20.0  # in all, from the first name looked up to the last byte
CONNECT_S = 5.0
_CHUNK = 1 << 16
_AGENT = "yuntu-qa (one page, on request)"


@dataclass(frozen=True, slots=True)
class Fetched:
    """What an address gave."""

    url: str  # after redirects
    content: bytes
    content_type: str  # without parameters, lower case; empty when not said


def fetch(url: str, *, allow_private: bool = False) -> Fetched:
    """Gets one page; a server that dawdles over anything at all is given up on.

    Raises: FetchFailed, as `_fetched` does.
    """
    found: list[Fetched | FetchFailed] = []

    def run() -> None:
        try:
            found.append(_fetched(url, allow_private=allow_private))
        except FetchFailed as e:
            found.append(e)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(TIMEOUT_S + 1)
    if not found:
        raise FetchFailed(url, f"{TIMEOUT_S:.0f} 秒内没有取完 (took too long)")
    if isinstance(found[0], FetchFailed):
        raise found[0]
    return found[0]


def _fetched(url: str, *, allow_private: bool) -> Fetched:
    """Gets one page, through its redirects.

    Args:
        allow_private: addresses inside the network too (intranet pages).
    Raises: FetchFailed, saying what is wrong with the address or its answer.
    """
    until = time.monotonic() + TIMEOUT_S
    for _ in range(MAX_REDIRECTS + 1):
        answer, at = _request(url, until, allow_private)
        try:
            if answer.status in (301, 302, 303, 307, 308) and (to := answer.headers.get("location")):
                url = urljoin(at, _as_text(to))
                continue
            if answer.status != 200:
                raise FetchFailed(at, f"服务器回答 {answer.status} (HTTP status)")
            kind = (answer.headers.get("content-type") or "").split(";")[0].strip().lower()
            return Fetched(at, _body(answer, at, until), kind)
        finally:
            answer.close()
    raise FetchFailed(url, f"重定向超过 {MAX_REDIRECTS} 次 (too many redirects)")


def _as_text(location: str) -> str:
    """A header is bytes that were read as Latin-1; browsers read UTF-8 there."""
    try:
        return location.encode("latin-1").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return location


def _request(url: str, until: float, allow_private: bool) -> tuple[urllib3.BaseHTTPResponse, str]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as e:
        raise FetchFailed(url, "网址写错了 (malformed)") from e
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise FetchFailed(url, "只能是 http 或 https 网址 (http and https only)")
    try:
        host = parts.hostname if ":" in parts.hostname else parts.hostname.encode("idna").decode("ascii")
    except UnicodeError as e:
        raise FetchFailed(url, "网址写错了 (malformed)") from e
    address = _checked_address(url, host, allow_private)
    timeout = urllib3.Timeout(connect=CONNECT_S, read=max(0.1, until - time.monotonic()))
    pool: urllib3.HTTPConnectionPool
    if parts.scheme == "https":
        pool = urllib3.HTTPSConnectionPool(
            address, port or 443, timeout=timeout, server_hostname=host, assert_hostname=host
        )
    else:
        pool = urllib3.HTTPConnectionPool(address, port or 80, timeout=timeout)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    named = f"[{host}]" if ":" in host else host
    headers = {"Host": f"{named}:{port}" if port else named, "User-Agent": _AGENT, "Accept-Encoding": "gzip, deflate"}
    try:
        return pool.urlopen(
            "GET",
            urllib3.util.parse_url(path).url,
            headers=headers,
            redirect=False,
            retries=False,
            preload_content=False,
        ), url
    except (HTTPError, LocationParseError, OSError) as e:
        raise FetchFailed(url, f"连不上 (cannot be reached): {type(e).__name__}") from e


def _checked_address(url: str, host: str, allow_private: bool) -> str:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as e:
        raise FetchFailed(url, "域名解析不了 (unknown host)") from e
    addresses = [str(entry[4][0]) for entry in found]
    if not allow_private and (inside := next((a for a in addresses if not is_public(a)), None)):
        raise FetchFailed(url, f"{inside} 是内网地址,不取 (a private address): 内网网页请加 --allow-private")
    return addresses[0]


# IPv6 addresses that stand for an IPv4 one, and old local ones
_DISGUISED = tuple(map(ipaddress.ip_network, ("64:ff9b::/32", "2002::/16", "2001::/32", "::/96", "fec0::/10")))


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet: no private, loopback or local one, in disguise or not."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None)
    if mapped is None and ip.version == 6 and any(ip in network for network in _DISGUISED):
        return False
    return (mapped or ip).is_global and not (mapped or ip).is_multicast


def _body(answer: urllib3.BaseHTTPResponse, url: str, until: float) -> bytes:
    pieces: list[bytes] = []
    size = 0
    try:
        while piece := answer.read1(_CHUNK, decode_content=True):  # what has come so far: a slow server is noticed
            size += len(piece)
            if size > MAX_BYTES:
                raise FetchFailed(url, f"超过 {MAX_BYTES / 1e6:.0f} MB (too large)")
            if time.monotonic() > until:
                raise FetchFailed(url, f"{TIMEOUT_S:.0f} 秒内没有取完 (took too long)")
            pieces.append(piece)
    except (HTTPError, OSError) as e:
        raise FetchFailed(url, f"没有取完 (broken off): {type(e).__name__}") from e
    return b"".join(pieces)
