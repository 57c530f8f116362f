"""Keys: only digests are kept, each change is whole and at once, and a damaged file lets nobody in."""

import hmac
import json
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.web.fake_service import FakeService
from web.access import Policy
from web.app import create_app
from web.cli import main
from web.keys import Keys, KeysUnreadable, NoSuchKey, digest_of

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "keys.json"


@pytest.fixture
def keys(path: Path) -> Keys:
    return Keys(path)


def test_a_key_is_known_by_itself_alone(keys: Keys) -> None:
    secret = keys.add("team", "ask")
    found = keys.find(secret)
    assert found is not None
    assert (found.name, found.scope) == ("team", "ask")
    for other in (secret[:-1], secret + " ", secret.upper(), "team", found.digest, "", "\ud800"):
        assert keys.find(other) is None


def test_who_administers_may_ask_and_not_the_other_way_round(keys: Keys) -> None:
    held = {scope: keys.find(keys.add(scope, scope)) for scope in ("ask", "admin")}  # type: ignore[arg-type]
    assert {(s, t): k.allows(t) for s, k in held.items() if k for t in ("ask", "admin")} == {  # type: ignore[arg-type]
        ("ask", "ask"): True, ("ask", "admin"): False, ("admin", "ask"): True, ("admin", "admin"): True,
    }  # fmt: skip


def test_keys_are_long_and_never_the_same(keys: Keys) -> None:
    made = [keys.add(f"k{n}", "ask") for n in range(20)]
    assert len(set(made)) == 20
    assert all(re.fullmatch(r"yt_[\w-]{43}", secret) for secret in made)


def test_the_file_holds_digests_alone_and_is_its_owners_alone(keys: Keys, path: Path) -> None:
    old = os.umask(0)
    try:
        secrets = [keys.add("team", "ask"), keys.rotate("team")]
    finally:
        os.umask(old)
    assert path.stat().st_mode & 0o777 == 0o600
    text = path.read_text()
    assert [s for s in secrets if s in text or s.removeprefix("yt_") in text] == []
    assert [digest_of(s) in text for s in secrets] == [True, True]
    assert [p.name for p in path.parent.iterdir() if p.suffix == ".new"] == []


def test_keys_are_compared_in_constant_time_and_all_of_them(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    first = keys.add("a", "ask")
    keys.add("b", "ask")
    compared: list[tuple[str, str]] = []

    def compare(a: str, b: str) -> bool:
        compared.append((a, b))
        return a == b

    monkeypatch.setattr(hmac, "compare_digest", compare)
    for secret in (first, "wrong"):
        compared.clear()
        keys.find(secret)
        assert len(compared) == 2


def test_a_rotated_key_works_for_a_while_and_the_new_one_at_once(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    old = keys.add("team", "admin")
    new = keys.rotate("team", grace_s=60.0)
    now = time.time()
    for seconds, expected in ((0, True), (59, True), (61, False)):
        monkeypatch.setattr("web.keys.time.time", lambda: now + seconds)  # noqa: B023
        assert (keys.find(old) is not None) == expected
        assert getattr(keys.find(new), "scope", None) == "admin"


def test_rotating_again_gives_an_old_key_no_more_time(keys: Keys) -> None:
    first = keys.add("team", "ask")
    keys.rotate("team", grace_s=0.1)
    keys.rotate("team", grace_s=3600.0)
    time.sleep(0.12)
    assert keys.find(first) is None


def test_revoking_ends_every_key_of_that_name(keys: Keys) -> None:
    secrets = [keys.add("team", "ask"), keys.rotate("team")]
    other = keys.add("other", "ask")
    keys.revoke("team")
    assert [keys.find(s) for s in secrets] == [None, None]
    assert keys.find(other) is not None


def test_what_another_process_changes_counts_at_once(keys: Keys, path: Path) -> None:
    secret = keys.add("team", "ask")
    with TestClient(create_app(FakeService(), policy=Policy(keys=Keys(path)))) as client:
        bearer = {"Authorization": f"Bearer {secret}"}
        assert client.get("/api/documents", headers=bearer).status_code == 200
        keys.revoke("team")
        assert client.get("/api/documents", headers=bearer).status_code == 401
        bearer = {"Authorization": f"Bearer {keys.add('team', 'ask')}"}
        assert client.get("/api/documents", headers=bearer).status_code == 200
        path.unlink()
        assert client.get("/api/documents", headers=bearer).status_code == 401


DAMAGE: list[tuple[str, Callable[[str], str]]] = [
    ("empty", lambda text: ""),
    ("cut", lambda text: text[: len(text) // 2]),
    ("not JSON", lambda text: "keys"),
    ("another shape", lambda text: "[]"),
    ("no list", lambda text: '{"keys": 1}'),
    ("a row that is none", lambda text: '{"keys": ["x"]}'),
    ("a field too many", lambda text: text.replace('"name"', '"x": 1, "name"')),
    ("no digest", lambda text: text.replace('"digest"', '"digset"')),
    ("a digest that is none", lambda text: re.sub('"digest": "..', '"digest": "zz', text)),
    ("a scope there is not", lambda text: text.replace('"ask"', '"root"')),
    ("a name that is none", lambda text: text.replace('"team"', "[1]")),
    ("an end that is none", lambda text: text.replace('"ends": null', '"ends": "soon"')),
    ("very deep", lambda text: "[" * 200_000),
]


@pytest.mark.parametrize(("what", "damage"), DAMAGE, ids=[what for what, _ in DAMAGE])
def test_a_damaged_file_lets_nobody_in_and_says_so(
    what: str, damage: Callable[[str], str], keys: Keys, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("yuntu").propagate = True  # `serve` turns that off
    secret = keys.add("team", "ask")
    with TestClient(create_app(FakeService(), policy=Policy(keys=Keys(path)))) as client:
        bearer = {"Authorization": f"Bearer {secret}"}
        assert client.get("/api/documents", headers=bearer).status_code == 200
        whole = path.read_text()
        path.write_text(damage(whole))
        refused = client.get("/api/documents", headers=bearer)
        assert refused.status_code == 503
        assert refused.json()["error"]["code"] == "keys_unreadable"
        assert str(path) not in refused.text
        assert str(path) in str([record.__dict__ for record in caplog.records])
        with pytest.raises(KeysUnreadable, match="坏了"):
            keys.add("other", "ask")
        path.write_text(whole)
        assert client.get("/api/documents", headers=bearer).status_code == 200


def test_a_change_that_fails_half_way_changes_nothing(keys: Keys, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = keys.add("team", "ask")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(KeysUnreadable, match="No space left"):
            keys.revoke("team")
    assert keys.find(secret) is not None
    assert Keys(path).find(secret) is not None
    keys.revoke("team")  # what the other one left does not stand in the way
    assert keys.find(secret) is None


def test_two_processes_that_add_at_once_lose_nothing(path: Path, soak: bool) -> None:
    each = 40 if soak else 8
    code = (
        "import sys; from pathlib import Path; from web.keys import Keys\n"
        "for n in range(int(sys.argv[3])): print(Keys(Path(sys.argv[1])).add(f'{sys.argv[2]}-{n}', 'ask'))"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(path), name, str(each)], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        for name in ("a", "b", "c")
    ]
    secrets = [line for one in running for line in one.communicate(timeout=60)[0].split()]
    assert len(secrets) == len(Keys(path).all()) == 3 * each
    assert all(Keys(path).find(secret) for secret in secrets)


@pytest.mark.parametrize("name", ["", "a b", "a\nb", "../x", "x" * 65, "<b>", "a/b"])
def test_a_name_is_a_plain_word(name: str, keys: Keys) -> None:
    with pytest.raises(NoSuchKey, match="bad name"):
        keys.add(name, "ask")


# --- yuntu keys


Yuntu = Callable[..., tuple[int, str, str]]


@pytest.fixture
def yuntu(path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Yuntu:
    for name in [name for name in os.environ if name.startswith("YUNTU_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("YUNTU_KEYS", str(path))

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = main(["keys", *arguments])
        except SystemExit as e:
            code = int(e.code or 0)
        return code, *capsys.readouterr()

    return run


def test_add_prints_the_key_alone_and_once(yuntu: Yuntu, path: Path) -> None:
    code, out, err = yuntu("add", "team")
    assert code == 0
    assert getattr(Keys(path).find(out.strip()), "name", None) == "team"
    assert out.strip() not in err
    code, listed, _ = yuntu("list")
    assert listed.startswith("team  ask  ")
    assert out.strip() not in listed
    assert digest_of(out.strip()) not in listed


def test_rotate_and_revoke_say_what_they_did(yuntu: Yuntu, path: Path) -> None:
    old = yuntu("add", "ops", "--scope", "admin")[1].strip()
    code, new, err = yuntu("rotate", "ops", "--grace", "0")
    assert (code, "0 小时" in err) == (0, True)
    assert Keys(path).find(old) is None
    assert getattr(Keys(path).find(new.strip()), "scope", None) == "admin"
    code, out, _ = yuntu("revoke", "ops")
    assert (code, out) == (0, "ops: 已作废 (revoked)\n")
    assert json.loads(path.read_text()) == {"keys": []}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param(["revoke", "nobody"], 1, "没有钥匙 nobody", id="unknown"),
        pytest.param(["rotate", "nobody"], 1, "没有钥匙 nobody", id="unknown, rotated"),
        pytest.param(["add", "team"], 1, "已有钥匙 team", id="taken"),
        pytest.param(["add", "a b"], 1, "bad name", id="bad name"),
        pytest.param(["add"], 2, "NAME", id="no name"),
        pytest.param(["list", "team"], 2, "list", id="a name too many"),
        pytest.param(["rotate", "team", "--grace", "-1"], 2, "--grace", id="less than no time"),
        pytest.param(["rotate", "team", "--grace", "nan"], 2, "--grace", id="no number"),
        pytest.param(["rotate", "team", "--grace", "inf"], 2, "--grace", id="for ever"),
        pytest.param(["add", "x", "--scope", "root"], 2, "--scope", id="no scope"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    arguments: list[str], code: int, said: str, yuntu: Yuntu, path: Path
) -> None:
    yuntu("add", "team")
    before = path.read_bytes()
    ended, out, err = yuntu(*arguments)
    assert (ended, out) == (code, "")
    assert said in err
    assert "Traceback" not in err
    assert path.read_bytes() == before


def test_a_damaged_file_is_told_of_with_what_to_do(yuntu: Yuntu, path: Path) -> None:
    yuntu("add", "team")
    path.write_text("{")
    for arguments in (["list"], ["add", "b"], ["revoke", "team"]):
        code, out, err = yuntu(*arguments)
        assert (code, out) == (1, "")
        assert "坏了" in err
        assert "从备份恢复" in err
    assert path.read_text() == "{"
