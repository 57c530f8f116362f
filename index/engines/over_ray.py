"""`rebuild --engine ray`: the work of a rebuild, shared out over the workers of a Ray cluster.

The caller writes a version only when everything has come back.
"""

import importlib.util
from collections.abc import Callable, Generator, Sequence
from types import TracebackType
from typing import TypeVar

import numpy as np
from tqdm import tqdm

from index.encode import Encoder
from index.engines.ray_cluster import is_running, start
from index.engines.ray_pool import Job, Pool
from index.errors import EngineUnavailable, WorkersDiffer
from index.pool import is_much, over_all
from index.settings import Settings
from index.shards import Rows, Shard
from index.values import Document

Given = TypeVar("Given")
Made = TypeVar("Made")
_AHEAD = 2  # chunks of documents sent to a worker: it goes on while this process unpacks
_CHUNKS = 8  # of documents for each worker: they end together, and little is sent at once


class OverRay:
    """An Engine on the cluster at RAY_ADDRESS, or on one that it starts on this machine and ends again.

    Ray is started when there is work for it. Use it in a `with`.
    """

    def __init__(self, settings: Settings) -> None:
        """Raises: EngineUnavailable when Ray is not installed."""
        if importlib.util.find_spec("ray") is None:
            raise EngineUnavailable(
                "没有装 Ray (Ray is not installed)。", "请运行: pip install 'yuntu-qa[ray]',或去掉 --engine ray"
            )
        self._settings = settings
        self._pool: Pool | None = None
        self._ours = False  # the connection, or the cluster behind it

    def __enter__(self) -> "OverRay":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the workers, and what was started for them."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()
        if self._ours:
            import ray

            self._ours = False
            ray.shutdown()

    def over_all(
        self, work: Callable[[Given], Made], given: Sequence[Given], what: str, documents: Sequence[Document]
    ) -> list[Made]:
        """See Engine. Little work is done here."""
        if not is_much(documents):
            return over_all(work, given, what, processes=False)
        pool = self._started()
        size = max(1, len(given) // (pool.size * _CHUNKS))
        chunks = [given[at : at + size] for at in range(0, len(given), size)]
        name, shared = pool.share(work)
        chars = [sum(len(d.text) for d in documents[at : at + size]) for at in range(0, len(given), size)]
        jobs = [Job(n, "over", (name, shared, chunk), chars[n]) for n, chunk in enumerate(chunks)]
        made: list[list[Made]] = [[] for _ in chunks]
        with tqdm(total=len(given), desc=what, unit="篇", disable=None) as bar:
            for number, results in pool.run(jobs, _AHEAD):
                made[number] = results
                bar.update(len(results))
        return [one for chunk in made for one in chunk]

    def encoded(
        self, shards: Sequence[Shard], load_encoder: Callable[[], Encoder]
    ) -> Generator[tuple[int, Rows, Rows], None, None]:
        """See Engine. Raises: WorkersDiffer when two workers encode a text differently."""
        pool = self._started()
        name, shared = pool.share(load_encoder)
        jobs = [
            Job(n, "encode", (name, shared, shard), sum(len(p.text) for p in shard)) for n, shard in enumerate(shards)
        ]
        first = ""
        with tqdm(total=sum(map(len, shards)), desc="编码 encode", unit="段", disable=None) as bar:
            for number, (probe, rows, halves) in pool.run(jobs, 1):
                first = first or probe
                if probe != first:
                    raise WorkersDiffer(
                        f"同一句话,两台机器编出的向量不一样 (workers encode differently): {first}, {probe}。",
                        "只用同一种处理器、同样版本的 OpenVINO 和 NumPy 的机器",
                    )
                yield number, np.array(rows), np.array(halves)  # copies: Ray's stay in its store while they are used
                bar.update(len(rows))

    def _started(self) -> Pool:
        if self._pool is None:
            if not is_running():
                start(self._settings)
                self._ours = True
            self._pool = Pool(self._settings)
        return self._pool
