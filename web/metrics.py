"""What is counted while serving, for Prometheus. No words of questions, and no labels that grow with them.

With several workers each keeps its numbers in files of one folder (PROMETHEUS_MULTIPROC_DIR, set by `serve`), and any
of them tells the sum.
"""

import contextlib
import os
import time
from collections.abc import Mapping
from pathlib import Path

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
    multiprocess,
)

from rag.values import Answer

CONTENT_TYPE = CONTENT_TYPE_LATEST
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0)


class Metrics:
    """The measures of one application."""

    def __init__(self) -> None:
        own = CollectorRegistry()
        self._registry = own
        if FOLDER not in os.environ:
            ProcessCollector(registry=own)
            PlatformCollector(registry=own)
        self._requests = Histogram(
            "yuntu_request_seconds", "Requests by route and status", ["route", "status"], buckets=_SECONDS, registry=own
        )
        self._stages = Histogram("yuntu_stage_seconds", "Stages of answers", ["stage"], buckets=_SECONDS, registry=own)
        self._answers = Counter("yuntu_answers", "Answers by kind and mode", ["kind", "mode"], registry=own)
        self._refusals = Counter("yuntu_refusals", "Refused answers by reason", ["reason"], registry=own)
        self._turned_away = Counter("yuntu_turned_away", "Requests not let in, by reason", ["reason"], registry=own)
        self._swaps = Counter("yuntu_index_swaps", "Switches to another index version", ["outcome"], registry=own)
        self._running = Gauge(
            "yuntu_requests_running", "Requests being worked on", registry=own, multiprocess_mode="livesum"
        )
        self._waiting = Gauge(
            "yuntu_requests_waiting", "Requests in the queue", registry=own, multiprocess_mode="livesum"
        )
        self._version = Gauge(
            "yuntu_index_info", "1 for the index version in use", ["version"], registry=own, multiprocess_mode="livemax"
        )
        self._age = Gauge(
            "yuntu_index_age_seconds", "Since the version was built", registry=own, multiprocess_mode="livemax"
        )
        self._cache = Gauge(
            "yuntu_cache", "Lookups and size of what is remembered", ["cache", "what"], registry=own,
            multiprocess_mode="livesum",
        )  # fmt: skip
        self._versions: set[str] = set()

    def request(self, route: str, status: int, seconds: float) -> None:
        """One request, done."""
        self._requests.labels(route, str(status)).observe(seconds)

    def answer(self, answer: Answer) -> None:
        """One answer given."""
        self._answers.labels(answer.kind, answer.mode).inc()
        if answer.reason:
            self._refusals.labels(answer.reason).inc()
        for stage, ms in answer.timings_ms.items():
            if ms and stage != "total":
                self._stages.labels(stage).observe(ms / 1000)

    def turned_away(self, reason: str) -> None:
        """One request that was not let in."""
        self._turned_away.labels(reason).inc()

    def swapped(self, outcome: str) -> None:
        """One switch of the index: `done` or `failed`."""
        self._swaps.labels(outcome).inc()

    def line(self, running: int, waiting: int) -> None:
        """How many are worked on and wait now."""
        self._running.set(running)
        self._waiting.set(waiting)

    def index(self, version: str, built_at: float, caches: Mapping[str, tuple[int, int, int]]) -> None:
        """The index in use, as it is told of."""
        for old in self._versions - {version}:
            self._version.labels(old).set(0)
        self._versions = {version}
        self._version.labels(version).set(1)
        self._age.set(max(0.0, time.time() - built_at))
        for cache, numbers in caches.items():
            for what, number in zip(("hits", "misses", "size"), numbers, strict=True):
                self._cache.labels(cache, what).set(number)

    def exposed(self) -> bytes:
        """All of it in Prometheus' text format."""
        if FOLDER not in os.environ:
            return generate_latest(self._registry)
        _forget_the_dead(Path(os.environ[FOLDER]))
        everybody = CollectorRegistry()
        multiprocess.MultiProcessCollector(everybody)  # type: ignore[no-untyped-call]
        return generate_latest(everybody)


def _forget_the_dead(folder: Path) -> None:
    """What a process that was killed ran, queued and served when it last said so, it does no more."""
    for pid in {path.stem.rpartition("_")[2] for path in folder.glob("gauge_live*.db")}:
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            with contextlib.suppress(FileNotFoundError):  # another process was asked at the same moment
                multiprocess.mark_process_dead(int(pid))  # type: ignore[no-untyped-call]
