"""The real encoder and the indexes it builds, once for all quality tests."""

from pathlib import Path

import pytest

from index.build import rebuild
from index.encode import Encoder, load_encoder
from index.settings import Settings
from index.snapshot import open_current
from rag.assistant import Assistant

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    """The encoder that ships."""
    return load_encoder(Settings.from_env({}))


def assistant_over(corpus: Path, folder: Path, encoder: Encoder) -> Assistant:
    """An index of `corpus`, opened."""
    settings = Settings.from_env({}).model_copy(update={"index": folder})
    rebuild([corpus], settings, lambda: encoder)
    return Assistant(open_current(folder), encoder, settings)


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Assistant:
    """Over corpus/."""
    return assistant_over(ROOT / "corpus", tmp_path_factory.mktemp("shipped"), encoder)


@pytest.fixture(scope="session")
def articles(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Assistant:
    """Over the five real articles, where they are at hand."""
    if not SHARED.is_dir():
        pytest.skip("the real articles are not here")
    return assistant_over(SHARED / "articles", tmp_path_factory.mktemp("articles"), encoder)
