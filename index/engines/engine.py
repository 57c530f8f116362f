"""What a rebuild asks of whoever does its work, and which one is meant by a name."""

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol, TypeVar

from index.encode import Encoder
from index.settings import Settings
from index.shards import Rows, Shard
from index.values import Document

Given = TypeVar("Given")
Made = TypeVar("Made")


class Engine(Protocol):
    """Does the two kinds of work that a rebuild can spread. The same arguments give the same bytes in every engine."""

    def over_all(
        self, work: Callable[[Given], Made], given: Sequence[Given], what: str, documents: Sequence[Document]
    ) -> list[Made]:
        """`work` of each, in order; what it raises is raised here.

        Args:
            work: can be pickled.
            what: is written before the bar on stderr.
            documents: that the work is about: with little to do nothing is started for it.
        """
        ...

    def encoded(
        self, shards: Sequence[Shard], load_encoder: Callable[[], Encoder]
    ) -> Generator[tuple[int, Rows, Rows], None, None]:
        """`encode_shard` of each as it gets done, in whatever order: its number, and the two tables of rows.

        Args:
            load_encoder: can be pickled.
        """
        ...


def engine_named(name: str, settings: Settings) -> AbstractContextManager[Engine]:
    """One of ENGINES; what it started ends with the `with`.

    Raises: EngineUnavailable when what it takes is not installed.
    """
    if name == "ray":
        from index.engines.over_ray import OverRay

        return OverRay(settings)
    from index.engines.local import HERE

    return nullcontext(HERE)
