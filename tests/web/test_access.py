"""Who may come in, as a specification: by policy, by what is asked for, by where it is asked from."""

from collections.abc import Mapping
from typing import Any, get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.datastructures import Headers
from starlette.testclient import TestClient

from tests.web.fake_service import FakeService
from web.access import GUESSES_A_MINUTE, Policy
from web.addresses import (
    host_of,
    is_allowed,
    is_embedded_elsewhere,
    is_from_here,
    is_loopback,
    is_same_origin,
    names_of,
    one_client,
)
from web.app import create_app
from web.keys import Keys, Scope

HERE, AWAY = "127.0.0.1", "203.0.113.7"
NAMES = frozenset({"yuntu.example"})
HTML = {"Accept": "text/html"}
PROXY = {"X-Forwarded-For": "127.0.0.1"}


@pytest.fixture
def keys(tmp_path: Any) -> Keys:
    return Keys(tmp_path / "keys.json")


def client(policy: Policy, address: str = AWAY, host: str = "yuntu.example") -> TestClient:
    app = create_app(FakeService(), policy=policy)
    return TestClient(app, client=(address, 50_000), base_url=f"http://{host}", raise_server_exceptions=False)


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


# --- open, or with keys

ASK = ("GET", "/api/documents")
METRICS = ("GET", "/metrics")
RELOAD = ("POST", "/admin/reload")
WHO = ("nobody", "ask", "admin")
MAY: dict[tuple[str, str], Mapping[tuple[str, str], tuple[int, int, int]]] = {  # nobody, ask, admin
    ("open", HERE): {ASK: (200, 200, 200), METRICS: (200, 200, 200), RELOAD: (200, 200, 200)},
    ("open", AWAY): {ASK: (200, 200, 200), METRICS: (401, 403, 200), RELOAD: (401, 403, 200)},
    ("keys", HERE): {ASK: (401, 200, 200), METRICS: (200, 200, 200), RELOAD: (200, 200, 200)},
    ("keys", AWAY): {ASK: (401, 200, 200), METRICS: (401, 403, 200), RELOAD: (401, 403, 200)},
}


@pytest.mark.parametrize(("door", "address"), MAY)
@pytest.mark.parametrize("what", [ASK, METRICS, RELOAD], ids=lambda what: what[1])
def test_who_may_do_what(door: str, address: str, what: tuple[str, str], keys: Keys) -> None:
    secrets = {scope: keys.add(scope, scope) for scope in get_args(Scope)}
    policy = Policy(keys=keys, open=door == "open", hosts=NAMES)
    asking = client(policy, address, "127.0.0.1" if address == HERE else "yuntu.example")
    found = [asking.request(*what, headers=bearer(secrets[who]) if who in secrets else {}).status_code for who in WHO]
    assert tuple(found) == MAY[door, address][what]


def test_without_a_policy_everybody_may_ask_and_still_not_administer() -> None:
    asking = client(Policy(), host="whatever.example")
    assert [asking.request(*what).status_code for what in (ASK, METRICS, RELOAD)] == [200, 401, 401]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_whether_it_is_alive_is_told_to_everybody(path: str, keys: Keys) -> None:
    asking = client(Policy(keys=keys, hosts=NAMES, rate=1))
    assert [asking.get(path).status_code for _ in range(5)] == [200] * 5
    assert asking.get(path, headers={"Host": "evil.example"}).status_code == 421


@pytest.mark.parametrize(
    "header",
    [
        "Forwarded: for=127.0.0.1", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: localhost",
        "X-Forwarded-Proto: https", "X-Real-IP: ::1", "X-Client-IP: 127.0.0.1", "X-Original-Forwarded-For: ::1",
        "CF-Connecting-IP: 127.0.0.1", "True-Client-IP: 127.0.0.1", "Via: 1.1 proxy", "x-forwarded-for: ",
    ],
)  # fmt: skip
@pytest.mark.parametrize("address", [HERE, "::1", AWAY])
def test_a_proxys_header_never_makes_anybody_local(header: str, address: str) -> None:
    name, _, value = header.partition(": ")
    asking = client(Policy(hosts=NAMES), address, "127.0.0.1")
    assert asking.get("/metrics", headers={name: value}).status_code == 401


def test_a_name_that_is_not_this_machines_own_makes_nobody_local() -> None:
    named = client(Policy(hosts=NAMES), HERE, "yuntu.example")  # a proxy here that says nothing of itself
    assert named.get("/metrics").status_code == 401
    assert named.get("/api/documents").status_code == 200


# --- how a refusal is said


@pytest.mark.parametrize("path", ["/", "/documents", "/market", "/ask", "/static/chat.js"])
def test_a_page_is_answered_so_that_a_browser_asks_for_the_key(path: str, keys: Keys) -> None:
    refused = client(Policy(keys=keys)).get(path, headers=HTML)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Basic ")
    assert refused.headers["content-type"].startswith("text/html")
    assert "需要钥匙" in refused.text


@pytest.mark.parametrize(
    "path", ["/api/documents", "/api/openapi.json", "/v1/models", "/mcp", "/metrics", "/admin/reload"]
)
def test_a_program_is_answered_in_json_and_asked_for_a_bearer(path: str, keys: Keys) -> None:
    refused = client(Policy(keys=keys)).get(path)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Bearer ")
    assert set(refused.json()["error"]) >= {"code", "message", "hint"}  # below /v1/ also what OpenAI's clients read
    assert refused.json()["error"]["code"] == "key_needed"


def test_every_refusal_carries_the_security_headers_and_a_number(keys: Keys) -> None:
    refused = client(Policy(keys=keys)).get("/")
    assert refused.headers["x-frame-options"] == "DENY"
    assert len(refused.headers["x-request-id"]) == 16


def test_a_browser_gives_the_key_as_password_or_as_name(keys: Keys) -> None:
    secret = keys.add("team", "ask")
    asking = client(Policy(keys=keys))
    for name, password in (("me", secret), ("", secret), (secret, "")):
        assert asking.get("/", headers=HTML, auth=(name, password)).status_code == 200
    assert asking.get("/", headers=HTML, auth=(secret, "wrong")).status_code == 401


# --- how often


def test_a_key_may_ask_so_often_from_wherever(keys: Keys) -> None:
    one, other = keys.add("one", "ask"), keys.add("other", "ask")
    policy = Policy(keys=keys, rate=3)
    app = create_app(FakeService(), policy=policy)
    callers = [TestClient(app, client=(f"203.0.113.{n}", 1)) for n in range(5)]
    found = [caller.get("/api/documents", headers=bearer(one)) for caller in callers]
    assert [r.status_code for r in found] == [200, 200, 200, 429, 429]
    assert 1 <= int(found[-1].headers["retry-after"]) <= 60
    assert found[-1].json()["error"]["code"] == "too_often"
    assert callers[0].get("/api/documents", headers=bearer(other)).status_code == 200


def test_without_keys_an_address_may_ask_so_often_and_this_machine_as_it_likes() -> None:
    app = create_app(FakeService(), policy=Policy(rate=2))

    def statuses(address: str, headers: Mapping[str, str] | None = None) -> list[int]:
        caller = TestClient(app, client=(address, 1))
        return [caller.get("/api/documents", headers=dict(headers or {})).status_code for _ in range(3)]

    assert statuses(AWAY) == [200, 200, 429]
    assert statuses("203.0.113.8") == [200, 200, 429]
    assert statuses("2001:db8::1") == [200, 200, 429]
    assert statuses("2001:db8::ffff:1") == [429, 429, 429]  # the same /64
    assert statuses("2001:db8:0:1::1") == [200, 200, 429]
    assert statuses(HERE) == [200, 200, 200]
    assert statuses(HERE, PROXY) == [200, 200, 429]


def test_after_ten_wrong_keys_an_address_waits_also_with_the_right_one(keys: Keys) -> None:
    secret = keys.add("team", "ask")
    app = create_app(FakeService(), policy=Policy(keys=keys))
    guessing = TestClient(app, client=("2001:db8::1", 1))
    found = [guessing.get("/api/documents", headers=bearer(f"yt_{n}")).status_code for n in range(GUESSES_A_MINUTE + 1)]
    assert found == [401] * GUESSES_A_MINUTE + [429]
    for address, expected in (("2001:db8::2", 429), ("2001:db8:1::1", 200)):
        caller = TestClient(app, client=(address, 1))
        assert caller.get("/api/documents", headers=bearer(secret)).status_code == expected


def test_asking_without_a_key_is_no_guess(keys: Keys) -> None:
    secret = keys.add("team", "ask")
    asking = client(Policy(keys=keys))
    assert {asking.get("/", headers=HTML).status_code for _ in range(30)} == {401}
    assert asking.get("/", headers={**HTML, **bearer(secret)}).status_code == 200


# --- addresses

ANY = st.text(alphabet=st.characters(max_codepoint=255)) | st.text(alphabet="[]:%.@/#?, 0123456789abflocalhost-")


def headers(*pairs: tuple[str, str]) -> Headers:
    return Headers(raw=[(name.encode(), value.encode("latin-1")) for name, value in pairs])


@given(ANY, ANY, ANY)
@example("[::1", "http://[::1", "same-origin")
@example("[::1]:x", "http://[x]", "none")
@example("ｌ".encode().decode("latin-1"), "http://", "")
def test_whatever_the_headers_hold_there_is_an_answer(host: str, origin: str, site: str) -> None:
    found = headers(("host", host), ("origin", origin), ("sec-fetch-site", site))
    name = host_of(found)
    assert name is None or (name == name.lower() and not set(name) & set("/\\@?#, :[") - {":"})
    assert name is None or is_allowed(name, ()) in (True, False)
    assert is_same_origin(found) in (True, False)
    assert is_embedded_elsewhere(found) in (True, False)
    assert is_from_here(origin, found) in (True, False)
    assert one_client(host)


HOST = st.sampled_from(["127.0.0.1", "localhost", "[::1]", "yuntu.example", "a.yuntu.example", "evil.example", "x"])
PORT = st.sampled_from(["", ":80", ":443", ":8000", ":8001"])


@given(HOST, PORT, HOST, PORT, st.sampled_from(["http", "https", "ftp", "null", ""]))
def test_only_the_same_host_is_of_the_same_origin(host: str, port: str, page: str, of: str, scheme: str) -> None:
    same = is_same_origin(headers(("host", host + port), ("origin", f"{scheme}://{page}{of}")))
    assert not same or (host == page and scheme in ("http", "https"))
    implied = of or {"http": ":80", "https": ":443"}.get(scheme, "")
    expected = host == page and scheme in ("http", "https") and implied in ({port} if port else {":80", ":443"})
    assert same == expected


@given(ANY)
def test_no_origin_is_ours_but_the_ones_that_name_us(origin: str) -> None:
    ours = {f"{s}://yuntu.example{dot}" for s in ("http", "https") for dot in ("", ":", ".", ":80", ":443")}
    assert not is_same_origin(headers(("host", "yuntu.example"), ("origin", origin))) or origin.lower() in ours


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("127.0.0.1:8000", "127.0.0.1"), ("LocalHost.:80", "localhost"), ("[::1]:8000", "::1"),
        ("a_b:1", "a_b"), ("", None), (":80", None), (".", None), ("a:b", None), ("a:99999", None), ("a@b", None),
        ("[::1]evil", None), ("127.0.0.1%evil", None), ("a b", None), ("a,b", None), ("a/b", None), ("[]", None),
    ],
)  # fmt: skip
def test_a_host_is_a_name_or_an_address_and_perhaps_a_port(host: str, name: str | None) -> None:
    assert host_of(headers(("host", host))) == name


def test_more_hosts_than_one_are_none() -> None:
    assert host_of(headers(("host", "a"), ("host", "a"))) is None
    assert host_of(headers()) is None


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("localhost", True), ("a.localhost", True), ("127.9.9.9", True), ("::1", True), ("192.168.1.5", True),
        ("yuntu.example", True), ("www.yuntu.example", False), ("evil.example", False), ("localhost.evil", False),
        ("127.0.0.1.evil", False), ("0x7f.1", False), ("2130706433", False), ("127.1", False),
    ],
)  # fmt: skip
def test_addresses_this_machines_names_and_ours_are_allowed(host: str, allowed: bool) -> None:
    assert is_allowed(host, names_of(" Yuntu.example ,,")) == allowed


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("::ffff:127.0.0.1", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        (None, False),
    ],
)
def test_what_this_machines_own_address_is(host: str | None, loopback: bool) -> None:
    assert is_loopback(host) == loopback


@pytest.mark.parametrize(
    ("pair", "one"),
    [
        (("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff"), True), (("2001:db8::1", "2001:db8:0:1::1"), False),
        (("203.0.113.7", "::ffff:203.0.113.7"), True), (("203.0.113.7", "203.0.113.8"), False),
        (("fe80::1%eth0", "fe80::2%eth1"), True),
    ],
)  # fmt: skip
def test_an_ipv6_network_is_one_client(pair: tuple[str, str], one: bool) -> None:
    assert (one_client(pair[0]) == one_client(pair[1])) == one


@pytest.mark.parametrize(
    ("site", "mode", "embedded"),
    [
        ("cross-site", "no-cors", True), ("cross-site", "cors", True), ("same-site", "no-cors", True),
        ("cross-site", "navigate", False), ("same-origin", "cors", False), ("none", "navigate", False),
        (None, None, False), ("cross-site", None, True),
    ],
)  # fmt: skip
def test_a_link_may_lead_here_and_a_page_may_not_load_us(site: str | None, mode: str | None, embedded: bool) -> None:
    pairs = [(n, v) for n, v in (("sec-fetch-site", site), ("sec-fetch-mode", mode)) if v]
    assert is_embedded_elsewhere(headers(*pairs)) == embedded
    status = client(Policy()).get("/", headers=dict(pairs)).status_code
    assert status == (403 if embedded else 200)


def test_where_proxies_are_named_nobody_is_known_to_sit_here(keys: Keys) -> None:
    asking = client(Policy(keys=keys, hosts=NAMES, open=True, proxied=True), HERE, "127.0.0.1")
    assert asking.get("/metrics").status_code == 401
    assert client(Policy(keys=keys, hosts=NAMES, open=True), HERE, "127.0.0.1").get("/metrics").status_code == 200
