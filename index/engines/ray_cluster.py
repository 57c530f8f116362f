"""The Ray cluster: the one at RAY_ADDRESS, or one that only this machine reaches."""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator

from index.cores import cores
from index.errors import EngineUnavailable
from index.settings import Settings

REACH_S = 15.0  # for an address to answer
_STORE_MB = 256  # of the cluster that is started here; a shard's rows take one or two
_MB = 1 << 20


def is_running() -> bool:
    """Whether this process is connected to a cluster."""
    import ray

    return bool(ray.is_initialized())


def start(settings: Settings) -> None:
    """Connects to RAY_ADDRESS, or starts a cluster that only this machine reaches.

    Raises: EngineUnavailable.
    """
    address = os.environ.get("RAY_ADDRESS", "") or "local"  # Ray alone would join whatever was last started here
    quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": "ERROR"}
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_worker_niceness", "0")  # as this machine's own processes; Ray says 15
    try:
        if address == "local":
            with only_from_here():
                import ray

                ray.init(
                    address="local",
                    _node_ip_address="127.0.0.1",
                    num_cpus=max(cores(), settings.ray_workers),
                    object_store_memory=_STORE_MB * _MB,
                    **quiet,
                )
        else:
            _reach(address)
            import ray

            ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except Exception as e:  # Ray raises just that where a node does not come up
        said = str(e).strip().partition("\n")[0] or type(e).__name__
        raise EngineUnavailable(
            f"连不上 Ray (cannot reach or start Ray) {address}: {said}。",
            "请检查 RAY_ADDRESS (主机:端口,如 10.0.0.5:6379);不设它就在本机起一个 (unset it to start one here)",
        ) from e


@contextlib.contextmanager
def only_from_here() -> Iterator[None]:
    """Ray listens on all addresses of a machine, whatever it is told, unless it takes it for one without clusters."""
    from ray._private import ray_constants

    before = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False
    environ = {ray_constants.ENABLE_RAY_CLUSTERS_ENV_VAR: "0"}
    kept = {name: os.environ.get(name) for name in environ}
    os.environ.update(environ)
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before
        for name, value in kept.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _reach(address: str) -> None:
    """Ray itself waits for minutes where nobody listens, or something else does: `ray health-check` is asked first.

    Raises: OSError, ValueError.
    """
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    if "://" in address or not host or not port.isdigit():
        raise ValueError("要写 主机:端口 (host:port)")
    socket.create_connection((host.strip("[]"), int(port)), timeout=REACH_S).close()
    command = [sys.executable, "-m", "ray.scripts.scripts", "health-check", "--address", address]
    try:
        healthy = subprocess.run(command, capture_output=True, timeout=REACH_S, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        healthy = False
    if not healthy:
        raise ValueError("那里的不是 Ray,或版本、口令不同 (no Ray there that knows this one)")
