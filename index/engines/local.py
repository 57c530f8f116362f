"""The engine that is always there: documents in processes of this machine, vectors by one encoder on all its cores."""

from collections.abc import Callable, Generator, Sequence
from typing import TypeVar

from tqdm import tqdm

from index.encode import Encoder
from index.pool import is_worth_it, over_all
from index.shards import Rows, Shard, encode_shard
from index.values import Document

Given = TypeVar("Given")
Made = TypeVar("Made")


class Local:
    """An Engine on this machine alone."""

    def over_all(
        self, work: Callable[[Given], Made], given: Sequence[Given], what: str, documents: Sequence[Document]
    ) -> list[Made]:
        """See Engine."""
        return over_all(work, given, what, processes=is_worth_it(documents))

    def encoded(
        self, shards: Sequence[Shard], load_encoder: Callable[[], Encoder]
    ) -> Generator[tuple[int, Rows, Rows], None, None]:
        """See Engine. In order."""
        encoder = load_encoder()
        with tqdm(total=sum(map(len, shards)), desc="编码 encode", unit="段", disable=None) as bar:
            for n, shard in enumerate(shards):
                yield n, *encode_shard(encoder, shard)
                bar.update(len(shard))


HERE = Local()
