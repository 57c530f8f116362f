"""A large index is hashed after the door is open: found damaged, it answers no more."""

from pathlib import Path

import pytest

from index import snapshot
from index.errors import IndexDamaged
from index.settings import Settings
from index.snapshot import current_version, open_current
from rag.assistant import Assistant
from tests.fakes import FakeEncoder
from tests.index.small import build, write_corpus


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("index.build.fingerprint_of", lambda _: FakeEncoder.fingerprint)
    build(write_corpus(tmp_path / "corpus"), tmp_path / "index")
    return tmp_path / "index"


def served(root: Path) -> Assistant:
    return Assistant(open_current(root), FakeEncoder(), Settings(index=root))


def damage(root: Path) -> None:
    file = root / current_version(root) / "passages.jsonl"
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 0x01
    file.write_bytes(bytes(raw))


def test_a_sound_large_index_goes_on(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "_VERIFY_AT_OPEN_BYTES", 0)
    assistant = served(root)
    assistant.verify(root)
    assert assistant.ask("阿里云排第几").index_version == current_version(root)


def test_a_damaged_one_is_opened_and_then_answers_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "_VERIFY_AT_OPEN_BYTES", 0)
    damage(root)
    assistant = served(root)
    with pytest.raises(IndexDamaged):
        assistant.verify(root)
    for use in (
        lambda: assistant.ask("阿里云排第几"),
        lambda: assistant.search("阿里云", 3),
        lambda: assistant.version,
    ):
        with pytest.raises(IndexDamaged):
            use()


def test_a_small_one_is_never_opened_damaged(root: Path) -> None:
    damage(root)
    with pytest.raises(IndexDamaged):
        served(root)
