"""Where a request comes from and what it is addressed to, as far as its headers can be believed."""

import ipaddress
import re
from collections.abc import Collection

from starlette.datastructures import Headers

_FORWARDING = (
    "forwarded",
    "via",
    "x-forwarded-",
    "x-real-",
    "x-client-",
    "x-original-",
    "cf-connecting-",
    "true-client-",
)
_DEFAULT_PORTS = (80, 443)
_HOST = re.compile(r"(?P<name>[^\s/\\@?#,:%\[\]]+|\[[0-9A-Fa-f:.]+\])(:(?P<port>[0-9]{0,5}))?")


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
    return direct is not None and direct.is_loopback and not any(name.startswith(_FORWARDING) for name in headers)


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
    hosts = headers.getlist("host")
    scheme, _, authority = origins[0].partition("://")
    if len(origins) > 1 or len(hosts) != 1 or scheme not in ("http", "https"):
        return False
    (name, port), (page_name, page_port) = _split(hosts[0]), _split(authority)
    # no port in Host: behind a proxy that speaks https for us, the page's is 443 and ours would be 80
    ports = _DEFAULT_PORTS if port is None else (port,)
    implied = 443 if scheme == "https" else 80
    return bool(name) and page_name == name and (implied if page_port is None else page_port) in ports


def is_embedded_elsewhere(headers: Headers) -> bool:
    """Whether another site's page loads this into itself, as far as a browser says so; a link may lead here."""
    return (
        headers.get("sec-fetch-site", "none") not in ("same-origin", "none")
        and headers.get("sec-fetch-mode") != "navigate"
    )


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
        found = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _split(host: str) -> tuple[str, int | None]:
    """Name and port of a Host header, None for the scheme's own; an empty name where it is malformed."""
    found = _HOST.fullmatch(host)
    port = int(found["port"]) if found and found["port"] else None
    if found is None or (port is not None and port > 65535):
        return "", None
    return found["name"].lower().strip("[]").rstrip("."), port
