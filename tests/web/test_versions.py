"""Links that name an index version: answered as it was, or by the current index and said to be."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from index.errors import IndexMismatch
from tests.web.fake_service import FakeService
from web.app import create_app
from web.service import Service
from web.versions import OPEN, VersionGone, Versions


class OldService(FakeService):
    """The same at another version."""

    def __init__(self, version: str) -> None:
        super().__init__()
        self.version = version


def reopen(version: str) -> Service:
    if version == "v-broken":
        raise IndexMismatch("no", "no")
    if not version.startswith("v-old"):
        raise VersionGone(version)
    return OldService(version)


@pytest.fixture
def client() -> TestClient:
    return TestClient(create_app(FakeService(), reopen=reopen))


def test_a_version_is_opened_once_and_few_stay_open() -> None:
    versions = Versions(FakeService(), reopen)
    assert versions.at(None) is versions.at("v-fake-1") is versions.current
    first = versions.at("v-old-1")
    assert versions.at("v-old-1") is first
    for n in range(2, 2 + OPEN):
        versions.at(f"v-old-{n}")
    assert versions.at("v-old-1") is not first
    with pytest.raises(VersionGone):
        versions.at("../../etc")
    with pytest.raises(VersionGone):
        versions.at("v-broken")


def test_a_share_link_is_answered_by_the_version_it_names(client: TestClient) -> None:
    page = client.get("/", params={"q": "规模", "v": "v-old-1"}).text
    assert 'data-version="v-old-1"' in page
    assert "这是旧版本的索引" in page
    assert "v=v-old-1" in page  # its citations lead to the documents as they were
    assert "这是旧版本" not in client.get("/", params={"q": "规模", "v": "v-fake-1"}).text


def test_an_expired_link_is_answered_anew_and_says_so(client: TestClient) -> None:
    page = client.get("/", params={"q": "规模", "v": "v-long-gone"}).text
    assert "已不保留" in page
    assert "v-long-gone" in page
    assert 'data-version="v-fake-1"' in page


@pytest.mark.parametrize("path", ["/documents/idc-2025h1", "/panel/idc-2025h1"])
def test_a_source_of_a_version_that_is_gone_is_gone(client: TestClient, path: str) -> None:
    span = {"start": "26", "end": "55"}
    assert client.get(path, params={**span, "v": "v-old-1"}).status_code == 200
    gone = client.get(path, params={**span, "v": "v-long-gone"})
    assert (gone.status_code, gone.json()["error"]["code"]) == (410, "version_gone")
    assert client.get(path, params={**span, "v": "x" * 81}).status_code == 422


def test_without_older_versions_every_other_one_is_gone(tmp_path: Path) -> None:
    client = TestClient(create_app(FakeService()))
    assert client.get("/documents/idc-2025h1", params={"v": "v-old-1"}).status_code == 410
