"""The workers on a Ray cluster: a fixed number of them, each given one job at a time.

Nothing here waits without an end. A worker that is gone, holds too much memory or gives no sign of life is replaced
where there is room, and its work is given to another; work that ends worker after worker, and a cluster on which no
worker starts, are errors.
"""

import contextlib
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from index.engines.ray_worker import Footing, Whereabouts, Worker, footing
from index.errors import EngineUnavailable, WorkersDiffer, WorkersFailed
from index.settings import Settings

TRIES = 3  # workers that one job may end, and that may end in a row before they are ready
START_S = 120.0  # without any worker that is ready
HUNG_S = 120.0  # without a sign of life of a worker
STUCK_S = 600.0  # at one job, and as long again as its text takes at the slowest: alive, but it will not end
_SLOWEST = 1000  # characters a second: a core encodes five times as many, and cleans twenty times
_PULSE_S = 5.0  # between signs of life
_TICK_S = 1.0
_MB = 1 << 20


@dataclass(eq=False)
class Job:
    """One call of a worker's method, and how many workers it has ended."""

    number: int
    method: str
    arguments: tuple[Any, ...]
    chars: int  # of the text that it is about
    tried: int = 0


@dataclass(eq=False)
class _Hand:
    """A worker as it looks from here."""

    actor: Any
    asked: tuple[Any, Any]  # references: where it is, what it stands on
    watch: Any
    seen: float  # when it last gave a sign of life
    since: float = 0.0  # when it began the job it is at
    where: Whereabouts | None = None  # once it is ready
    jobs: dict[Any, Job] = field(default_factory=dict)  # by the reference of the result, the one it is at first

    def name(self) -> str:
        return f"{self.where.host} (node {self.where.node[:8]}, process {self.where.process})" if self.where else "?"


class Pool:
    """The workers, and what each is at."""

    def __init__(self, settings: Settings) -> None:
        """Raises: EngineUnavailable when no machine of the cluster is large enough."""
        import ray

        self._ray = ray
        self._settings = settings.for_workers()
        self._expected = footing(self._settings)
        self._mb = settings.ray_worker_mb
        machines = [n["Resources"] for n in ray.nodes() if n["Alive"]]
        self.size = settings.ray_workers or max(1, int(sum(m.get("CPU", 0) for m in machines)))
        if not any(m.get("CPU", 0) >= 1 and m.get("memory", 0) >= self._mb * _MB for m in machines):
            most = max((m.get("memory", 0) for m in machines if m.get("CPU", 0) >= 1), default=0)
            raise EngineUnavailable(
                f"集群里没有一台机器放得下一个 worker (no machine has room): 要 1 核、{self._mb} MB,"
                f"最大的有 {most / _MB:.0f} MB。",
                "请调小 YUNTU_RAY_WORKER_MB,或加机器",
            )
        self._hands: list[_Hand] = []
        self._alone_since = time.monotonic()  # since when no worker is ready
        self._stillborn = 0  # workers in a row that ended before they were ready

    def share(self, value: Any) -> tuple[str, list[Any]]:
        """Puts a value where every worker fetches it once: its name, and the reference to it."""
        reference = self._ray.put(value)
        return str(reference.hex()), [reference]

    def run(self, jobs: Sequence[Job], ahead: int) -> Generator[tuple[int, Any], None, None]:
        """The results, as they come.

        Args:
            ahead: how many jobs a worker has at a time.
        Raises: what a job raises; WorkersDiffer, WorkersFailed, EngineUnavailable.
        """
        waiting, left = deque(jobs), len(jobs)
        while left:
            while len(self._hands) < min(self.size, left):
                self._hands.append(self._new_hand())
            for depth in range(ahead):
                for hand in self._hands:
                    if waiting and hand.where is not None and len(hand.jobs) == depth:
                        self._give(hand, waiting.popleft())
            by_reference = {ref: hand for hand in self._hands for ref in self._awaited(hand)}
            done, _ = self._ray.wait(list(by_reference), timeout=_TICK_S)
            for ref in done:
                hand = by_reference[ref]
                if hand in self._hands:
                    for job, result in self._answered(hand, ref, waiting):
                        left -= 1
                        yield job.number, result
            self._look_for_trouble(waiting)

    def close(self) -> None:
        """Ends the workers."""
        for hand in self._hands:
            with contextlib.suppress(self._ray.exceptions.RayError, ValueError):
                self._ray.kill(hand.actor)  # asked only: of one killed harder, Ray prints that it crashed
        self._hands = []

    def _new_hand(self) -> _Hand:
        options = {
            "num_cpus": 1,  # … and by that one thread of OpenMP
            "memory": self._mb * _MB,
            "max_restarts": 0,  # a new one is made here, where it is seen what it stands on
            "max_task_retries": 0,
            "scheduling_strategy": "SPREAD",
            "concurrency_groups": {"watch": 1},
        }
        actor = self._ray.remote(**options)(Worker).remote(self._mb)
        asked = actor.where.remote(), actor.footing.remote(self._settings)
        return _Hand(actor, asked, self._watched(actor), time.monotonic())

    def _watched(self, actor: Any) -> Any:
        return actor.watch.options(concurrency_group="watch").remote(_PULSE_S)

    def _awaited(self, hand: _Hand) -> list[Any]:
        """What it owes; of a new one, first of all what it stands on."""
        return [hand.watch, *hand.jobs] if hand.where is not None else [hand.watch, hand.asked[1]]

    def _give(self, hand: _Hand, job: Job) -> None:
        hand.since = hand.since if hand.jobs else time.monotonic()
        hand.jobs[getattr(hand.actor, job.method).remote(*job.arguments)] = job

    def _answered(self, hand: _Hand, ref: Any, waiting: "deque[Job]") -> Iterator[tuple[Job, Any]]:
        """A result, if `ref` is one; what else it says is acted on."""
        from ray.exceptions import OutOfMemoryError, RayError, RayTaskError

        try:
            if ref == hand.asked[1]:
                self._welcome(hand, *self._ray.get(list(hand.asked)))
                return
            answer = self._ray.get(ref)
        except RayTaskError as e:
            if isinstance(e.cause, ImportError):
                raise WorkersDiffer(
                    f"worker 那里少装了东西 (not installed there): {hand.name()}: {e.cause}。",
                    "每台机器都要装同一版本的 yuntu-qa[ray] (install the same version on every machine)",
                ) from e
            if not isinstance(e.cause, MemoryError):
                raise e.cause from e
            self._lost(hand, waiting, "内存不够 (out of memory)", for_memory=True)
        except RayError as e:
            if not hand.where and getattr(e, "actor_init_failed", False):
                raise WorkersDiffer(
                    f"worker 起不来 (a worker cannot start): {_last_line(e)}。",
                    "每台机器都要装同一版本的 yuntu-qa[ray] (install the same version on every machine)",
                ) from e
            self._lost(hand, waiting, _last_line(e), for_memory=isinstance(e, OutOfMemoryError))
        else:
            if ref != hand.watch:
                hand.since = time.monotonic()
                yield hand.jobs.pop(ref), answer
            elif answer:
                self._lost(hand, waiting, f"内存到了 {answer} MB (took {answer} MB)", for_memory=True)
            else:
                hand.seen, hand.watch = time.monotonic(), self._watched(hand.actor)

    def _welcome(self, hand: _Hand, where: Whereabouts, theirs: Footing | str) -> None:
        """A worker is ready, when it stands on what this process stands on."""
        if theirs != self._expected:
            ours = asdict(self._expected)
            found = asdict(theirs) if isinstance(theirs, Footing) else {"encoder": theirs}
            differing = [f"{k} {v[:40]} ≠ {ours[k][:40]}" for k, v in found.items() if v != ours[k]]
            raise WorkersDiffer(
                f"worker 与本机不一致 (differs from this machine): {where.host} (node {where.node[:8]}): "
                f"{'; '.join(differing)}。",
                "每台机器都要装同一版本的 yuntu-qa[ray],用同一个编码器、能做同样精度的处理器",
            )
        hand.where, hand.seen, self._stillborn = where, time.monotonic(), 0

    def _lost(self, hand: _Hand, waiting: "deque[Job]", why: str, *, for_memory: bool = False) -> None:
        """A worker is no more: what it had is given to others.

        Raises: WorkersFailed when that job, or starting itself, has ended too many.
        """
        self._end(hand)
        self._hands.remove(hand)
        jobs = list(hand.jobs.values())
        waiting.extendleft(reversed(jobs))
        if jobs:
            jobs[0].tried += 1  # the one it was at; what was sent ahead is not to blame
        elif hand.where is None:
            self._stillborn += 1
        print(f"worker {hand.name()} 没了,换一个 (lost, going on): {why}", file=sys.stderr)
        if (jobs and jobs[0].tried >= TRIES) or self._stillborn >= TRIES:
            what = f"第 {jobs[0].number + 1} 份活 (shard {jobs[0].number + 1})" if jobs else "启动 (starting)"
            to_do = (
                f"请调大 YUNTU_RAY_WORKER_MB (现在 {self._mb}),或用 YUNTU_RAY_WORKERS 少开几个"
                if for_memory
                else "请看 Ray 的日志 (/tmp/ray/session_latest/logs);或去掉 --engine ray"
            )
            raise WorkersFailed(
                f"{what} 接连让 {TRIES} 个 worker 退出 (ended {TRIES} workers): {why}。",
                f"{to_do}。索引没有变 (the index is untouched)",
            )

    def _look_for_trouble(self, waiting: "deque[Job]") -> None:
        """Workers that hang, and a cluster that has room for none."""
        now = time.monotonic()
        for hand in [h for h in self._hands if h.where is not None and now - h.seen > HUNG_S]:
            self._lost(hand, waiting, f"{HUNG_S:.0f} 秒没有动静 (no sign of life)")
        for hand in [h for h in self._hands if h.jobs]:
            most_s = STUCK_S + next(iter(hand.jobs.values())).chars / _SLOWEST
            if now - hand.since > most_s:
                self._lost(hand, waiting, f"一份活 {most_s:.0f} 秒没做完 (stuck at one job)")
        if any(h.where is not None for h in self._hands):
            self._alone_since = now
        elif now - self._alone_since > START_S:
            free = self._ray.available_resources()
            raise EngineUnavailable(
                f"{START_S:.0f} 秒里没有一个 worker 能启动 (no worker could start): 每个要 1 核、{self._mb} MB,"
                f"集群空着 {free.get('CPU', 0):g} 核、{free.get('memory', 0) / _MB:.0f} MB。",
                "等别的任务结束,或加机器,或调小 YUNTU_RAY_WORKER_MB。索引没有变 (the index is untouched)",
            )

    def _end(self, hand: _Hand) -> None:
        """Ray asks a worker to end; one of this machine that hangs does not hear it."""
        from ray.exceptions import RayError

        with contextlib.suppress(RayError, ValueError):
            self._ray.kill(hand.actor)
        if hand.where is not None and hand.where.node == self._ray.get_runtime_context().get_node_id():
            with contextlib.suppress(OSError):
                if Path(f"/proc/{hand.where.process}/cmdline").read_bytes().startswith(b"ray::"):
                    os.kill(hand.where.process, signal.SIGKILL)


def _last_line(e: BaseException) -> str:
    """What an error of Ray's says, without its paragraphs."""
    lines = [line.strip() for line in str(e).splitlines() if line.strip()]
    return (lines[-1] if lines else type(e).__name__)[:200]
