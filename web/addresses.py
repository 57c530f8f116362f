"""Where a request comes from and what it is addressed to, as far as its headers can be believed."""

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers

_FORWARDING = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def is_loopback(host: str | None) -> bool:
    """Whether a name or address is this machine's own."""
    if host is None:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = _address(host)
    return address is not None and address.is_loopback


def is_from_here(client: str | None, headers: Headers) -> bool:
    """Whether whoever asks sits at this machine: no proxy stands between, as far as proxies say so."""
    direct = _address(client or "")
    return direct is not None and direct.is_loopback and not any(name in headers for name in _FORWARDING)


def host_of(headers: Headers) -> str | None:
    """The name in Host, without the port and in lower case; None where there is not exactly one that is well formed."""
    found = headers.getlist("host")
    name = _split(found[0])[0] if len(found) == 1 else None
    return name or None


def is_allowed(host: str, names: Collection[str]) -> bool:
    """Whether a request may be addressed to `host`.

    A page elsewhere can have its own name point at this machine, and then read what we answer; it cannot do that to an
    address. So addresses are allowed, and the names we are known by.
    """
    return is_loopback(host) or _address(host) is not None or host in names


def is_same_origin(headers: Headers) -> bool:
    """Whether a request that changes or costs something comes from our own page, or from no page at all."""
    if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        return False
    origins = headers.getlist("origin")
    if not origins:
        return True
    if len(origins) > 1:
        return False
    ours = _split(headers.get("host", ""))
    try:
        parts = urlsplit(origins[0])
        theirs = (parts.hostname or "", parts.port or _DEFAULT_PORTS.get(parts.scheme))
    except ValueError:
        return False
    # behind a proxy that speaks https for us, the page's port is the proxy's
    return parts.scheme in _DEFAULT_PORTS and theirs[0] == ours[0] and theirs[1] in (ours[1], *_DEFAULT_PORTS.values())


def one_client(client: str | None) -> str:
    """What counts as one client: an address, or the /64 that one household or machine has of IPv6."""
    address = _address(client or "")
    if address is None:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False).network_address)
    return str(address)


def names_of(text: str) -> frozenset[str]:
    """Names with commas between them, as settings give them."""
    return frozenset(name.strip().lower() for name in text.split(",") if name.strip())


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _split(host: str) -> tuple[str, int | None]:
    """Name and port of a Host header; an empty name where it is malformed."""
    if any(c in host for c in "/\\@?#, \t"):
        return "", None
    try:
        parts = urlsplit(f"//{host}")
        return (parts.hostname or "").rstrip("."), parts.port or 80
    except ValueError:
        return "", None
