"""For every test: no network, property tests that time cannot fail, and the real encoder with its indexes, once."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings

from index.build import rebuild
from index.encode import Encoder, load_encoder
from index.settings import Settings
from index.snapshot import open_current
from rag.assistant import Assistant
from rag.reader.read import Reader, load_reader
from tests.fakes import FakeEncoder

# in CI half as many examples, always the same ones: it has twenty-five minutes
_EXAMPLES = 50 if "CI" in os.environ else 100
hypothesis_settings.register_profile("yuntu", deadline=None, derandomize="CI" in os.environ, max_examples=_EXAMPLES)
hypothesis_settings.load_profile("yuntu")

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"
_HERE = ("127.", "::1", "localhost")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="the long versions of the reliability tests (make soak)")


@pytest.fixture(scope="session")
def soak(request: pytest.FixtureRequest) -> bool:
    """Whether the reliability tests run at full length."""
    return bool(request.config.getoption("--soak"))


@pytest.fixture
def long(soak: bool) -> None:
    """For tests that only `make soak` has the time for."""
    if not soak:
        pytest.skip("in make soak")


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """A connection to anywhere but this machine fails the test that opens it."""

    def here_only(connect: Any) -> Any:
        def guarded(sock: socket.socket, address: Any) -> Any:
            if sock.family != socket.AF_UNIX and not str(address[0]).startswith(_HERE):
                raise AssertionError(f"a test connects to {address[0]}: tests are offline")
            return connect(sock, address)

        return guarded

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", here_only(socket.socket.connect))
        patch.setattr(socket.socket, "connect_ex", here_only(socket.socket.connect_ex))
        yield


@pytest.fixture
def fake_encoder(monkeypatch: pytest.MonkeyPatch) -> FakeEncoder:
    """The encoder of every rebuild and every question of this test, instead of the real one."""
    encoder = FakeEncoder()
    monkeypatch.setattr("index.encode.load_encoder", lambda *_, **__: encoder)
    monkeypatch.setattr("index.build.fingerprint_of", lambda _: encoder.fingerprint)
    monkeypatch.setattr("rag.reader.read.load_reader", lambda _: None)
    return encoder


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    """The encoder that ships."""
    return load_encoder(Settings.from_env({}))


@pytest.fixture(scope="session")
def reader() -> Reader:
    """The reader that ships."""
    loaded = load_reader(Settings.from_env({}))
    assert loaded is not None
    return loaded


def assistant_over(corpus: Path, folder: Path, encoder: Encoder, reader: Reader | None = None) -> Assistant:
    """An index of `corpus`, opened."""
    settings = Settings.from_env({}).model_copy(update={"index": folder})
    rebuild([corpus], settings, lambda: encoder)
    return Assistant(open_current(folder), encoder, settings, reader)


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, reader: Reader) -> Assistant:
    """Over corpus/."""
    return assistant_over(ROOT / "corpus", tmp_path_factory.mktemp("shipped"), encoder, reader)


@pytest.fixture(scope="session")
def articles(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, reader: Reader) -> Assistant:
    """Over the five real articles, where they are at hand."""
    if not SHARED.is_dir():
        pytest.skip("the real articles are not here")
    return assistant_over(SHARED / "articles", tmp_path_factory.mktemp("articles"), encoder, reader)
