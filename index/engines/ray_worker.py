"""What runs in a worker of `rebuild --engine ray`: one process, one thread that computes, one encoder.

It imports its own copy of this package: ray_pool.py compares `footing` before anything is given to it.
"""

import hashlib
import os
import resource
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.encode import Encoder, fingerprint_of, precision_of
from index.errors import YuntuError
from index.settings import Settings
from index.shards import Encodable, Rows, encode_shard

_LOOK_S = 0.05  # how often it looks at its memory
_GRACE_S = 1.0
_MB = 1 << 20
_PROBE = (
    Encodable("火山引擎的份额是49.2%。其余各家合计不到三成。", ((0, 13), (13, 24))),
    Encodable("云" * 200 + "。价格一降再降。", ((0, 201), (201, 208))),
)


@dataclass(frozen=True, slots=True)
class Footing:
    """What a worker's results depend on besides its work."""

    code: str
    encoder: str
    precision: str
    tokenizer: str


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a worker runs."""

    host: str
    node: str  # Ray's id of the machine
    process: int


def footing(settings: Settings) -> Footing:
    """Of this process. Raises: YuntuError when the encoder is not there."""
    from index import tokenize
    from index.build import text_fingerprint

    own = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    return Footing(
        f"{text_fingerprint()}+{own}", fingerprint_of(settings), precision_of(settings), tokenize.fingerprint()
    )


def own_memory_mb() -> int:
    """What this process holds in memory that nobody shares, in megabytes (Linux; elsewhere the most it ever held)."""
    try:
        _, resident, shared = Path("/proc/self/statm").read_text(encoding="ascii").split()[:3]
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    return (int(resident) - int(shared)) * os.sysconf("SC_PAGESIZE") // _MB


class Worker:
    """A Ray actor. `watch` runs beside the others, in a thread of its own."""

    def __init__(self, most_mb: int) -> None:
        """`most_mb`: the memory it may hold."""
        self._most_mb = most_mb
        self._shared: dict[str, Any] = {}
        self._encoder: Encoder | None = None
        self._probe = ""

    def where(self) -> Whereabouts:
        """Its machine and its process."""
        import ray

        return Whereabouts(socket.gethostname(), ray.get_runtime_context().get_node_id(), os.getpid())

    def footing(self, settings: Settings) -> Footing | str:
        """What its results depend on, or why it can make none."""
        try:
            return footing(settings)
        except (YuntuError, ImportError, OSError) as e:
            return f"{type(e).__name__}: {e}"

    def watch(self, seconds: float) -> int:
        """How much memory it holds as soon as that is too much, else 0 after some seconds: it is alive."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if (mb := own_memory_mb()) > self._most_mb:
                threading.Timer(_GRACE_S, os._exit, (1,)).start()  # should nobody be there to end it
                return mb
            time.sleep(_LOOK_S)
        return 0

    def over(self, name: str, work: Sequence[Any], given: Sequence[Any]) -> list[Any]:
        """A function of each.

        Args:
            name: of the function; it is fetched once.
            work: Ray's reference to it, alone in a list so that Ray does not fetch it each time.
        """
        function = self._of(name, work)
        return [function(one) for one in given]

    def encode(self, name: str, load_encoder: Sequence[Any], shard: Sequence[Encodable]) -> tuple[str, Rows, Rows]:
        """A hash of what this encoder makes of a text that is always the same, and `encode_shard`."""
        if self._encoder is None:
            load: Callable[[], Encoder] = self._of(name, load_encoder)
            self._encoder = load()
            rows, parts = encode_shard(self._encoder, _PROBE)
            self._probe = hashlib.sha256(rows.tobytes() + parts.tobytes()).hexdigest()[:12]
        return self._probe, *encode_shard(self._encoder, shard)

    def _of(self, name: str, reference: Sequence[Any]) -> Any:
        if name not in self._shared:
            import ray

            self._shared[name] = ray.get(reference[0])
        return self._shared[name]
