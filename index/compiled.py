"""Compiled OpenVINO networks, kept on disk: the next start reads one in 0.2 seconds instead of making it in two.

A kept network belongs to one processor, one release of OpenVINO and one version of our code; it is read only if it is
what was written. Where nothing can be kept, it is made each time.
"""

import contextlib
import hashlib
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.cores import cores, shares

if TYPE_CHECKING:
    from openvino import CompiledModel

_DIGEST = hashlib.sha256().digest_size


def compiled(
    make: Callable[[], Any], made_of: str = "", folder: Path | None = None, *, exact: bool = False
) -> "CompiledModel":
    """A network ready to run, on all cores this process may use.

    Args:
        make: makes the openvino.Model; not called when a kept one is found.
        made_of: tells networks apart: everything that `make` depends on.
        folder: where compiled networks are kept; None: not at all.
        exact: float32 throughout, not even bfloat16.
    """
    import openvino

    options: dict[str, Any] = {"INFERENCE_NUM_THREADS": cores(), "PERFORMANCE_HINT": "LATENCY"}
    if shares():  # each process would tie its threads to the same first cores: two of one thread ran on core 0
        options["ENABLE_CPU_PINNING"] = False
    if exact:
        options["INFERENCE_PRECISION_HINT"] = "f32"
    core = openvino.Core()
    if folder is None:
        return core.compile_model(make(), "CPU", options)
    parts = [made_of, str(sorted(options.items())), openvino.get_version(), _processor()]
    name = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    path = folder / f"{name}.openvino"
    with contextlib.suppress(OSError, RuntimeError):
        raw = path.read_bytes()
        if hashlib.sha256(raw[_DIGEST:]).digest() == raw[:_DIGEST]:
            return core.import_model(io.BytesIO(raw[_DIGEST:]), "CPU", options)
    network = core.compile_model(make(), "CPU", options)
    with contextlib.suppress(OSError, RuntimeError):  # a full disk, a read-only folder: slower the next time, no more
        _keep(network.export_model().getvalue(), path)
    return network


def _keep(raw: bytes, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}")
    try:
        temporary.write_bytes(hashlib.sha256(raw).digest() + raw)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _processor() -> str:
    """What the processor can do; kept code of another one might not run."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(sorted({line for line in lines if line.startswith(("flags", "model name", "Features"))}))
