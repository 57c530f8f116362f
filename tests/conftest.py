"""For every test: no network, and property tests that time cannot fail."""

import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from tests.fakes import FakeEncoder

settings.register_profile("yuntu", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("yuntu")

_HERE = ("127.", "::1", "localhost")


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
    return encoder
