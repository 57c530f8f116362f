"""`yuntu serve`: the application over the index of a folder, one process or several, until it is told to stop."""

import contextlib
import errno
import logging.config
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import uvicorn
from fastapi import FastAPI
from sse_starlette.sse import AppStatus
from uvicorn.supervisors import Multiprocess

from index.errors import YuntuError
from index.settings import Settings
from index.stores.store import store_of
from rag.assistant import Assistant
from web.access import Policy
from web.addresses import is_loopback, names_of
from web.app import create_app
from web.keys import Keys
from web.logs import config_of
from web.metrics import FOLDER, Metrics
from web.patience import PatientProtocol
from web.reload import Reload
from web.versions import Versions

CONNECTIONS = 1000  # at once; more get a bare 503
BACKLOG = 2048
SETTLE_AFTER_S = 1.0
STOP_S = 5.0  # beyond the deadline of a question: what has not ended by then is cut off
STARTUP_FAILED = 3  # tells the parent of several processes not to try again


class CannotServe(YuntuError):
    """The address is taken or none of ours, or would be open to everybody by mistake."""

    code = "cannot_serve"


@dataclass(frozen=True, slots=True)
class Door:
    """What the command line says of the door."""

    host: str
    port: int
    workers: int = 1
    insecure: bool = False  # open to everybody, and that is meant


def serve(
    settings: Settings, door: Door, assistant_of: Callable[[Settings], Assistant], say: Callable[[str], None]
) -> None:
    """Serves until SIGTERM or Ctrl-C; running requests are finished then. SIGHUP: looks for a newer index.

    Raises: CannotServe, and what opening the index raises.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is something to reload: it would end the process
    if door.workers > 1 and settings.store.endswith(".db"):
        raise CannotServe(
            "一个 milvus-lite 文件只能由一个进程打开 (one process at a time)。",
            "去掉 --workers,或者用 milvus-lite server 起一个服务,写 milvus://…",
        )
    policy = policy_of(settings, door)
    listening = listen(door.host, door.port)
    host = f"[{door.host}]" if ":" in door.host else door.host
    say(f"http://{host}:{listening.getsockname()[1]}")
    make = partial(_application if door.workers == 1 else _in_a_worker, settings, policy, assistant_of)
    config = uvicorn.Config(
        make,
        factory=True,
        http=PatientProtocol,
        ws="none",
        workers=door.workers,
        log_config=dict(config_of(settings.log)),
        server_header=False,
        limit_concurrency=CONNECTIONS,
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=settings.proxies or None,
        timeout_graceful_shutdown=int(settings.deadline_s + STOP_S),
        timeout_worker_healthcheck=60,
    )
    with contextlib.closing(listening):
        if door.workers == 1:
            with contextlib.suppress(KeyboardInterrupt):  # how it is stopped at a terminal
                uvicorn.Server(config).run([listening])
            return
        with tempfile.TemporaryDirectory() as folder:
            os.environ[FOLDER] = folder  # before a worker's metrics are made
            store_of(settings).open_sound(say)  # a worker that cannot open it could not say so as well
            workers = _Workers(config, [listening])
            workers.run()
            if any(worker.exitcode == STARTUP_FAILED for worker in workers.processes):
                raise CannotServe("没有起来 (did not start)。", "原因见上 (the reason is above)")


class _Workers(Multiprocess):
    """Several processes, watched by one."""

    def keep_subprocess_alive(self) -> None:
        """Starts another one for each that died."""
        for worker in self.processes:
            worker.child_conn.close()  # ours: while it is open, one that dies when it is pinged keeps us for a minute
        super().keep_subprocess_alive()


def policy_of(settings: Settings, door: Door) -> Policy:
    """Who is let in. Raises: CannotServe where everybody would be, and nobody said that they should."""
    keys = Keys(settings.keys)
    private = is_loopback(door.host) and not settings.proxies  # a proxy brings others in
    needed = settings.access == "keys" or not (private or door.insecure)
    if needed and not keys.all():
        raise CannotServe(
            f"{door.host} 不只给本机用,而还没有钥匙 (reachable from elsewhere, and there is no key)。",
            "先发一把: yuntu keys add NAME;确实要对所有人开放,加 --insecure (open to everybody)",
        )
    names = names_of(settings.hosts) | names_of(door.host) | {socket.gethostname().lower()}
    return Policy(keys, open=not needed, proxied=bool(settings.proxies), hosts=frozenset(names), rate=settings.rate)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket: taken before anything is loaded, so that a taken port is told of at once.

    Raises: CannotServe.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as e:
        if e.errno == errno.EADDRINUSE:
            why, hint = (
                "已被占用 (in use)",
                "停掉那个程序,或用 --port 换一个",
            )
        elif e.errno == errno.EACCES:
            why, hint = "不许用 (not permitted)", "用 1024 以上的端口 (use a port above 1024)"
        else:
            why, hint = f"用不了: {e.strerror or e}", "检查 --host (check it)"
        raise CannotServe(f"{host}:{port} {why}。", hint) from e


def _application(settings: Settings, policy: Policy, assistant_of: Callable[[Settings], Assistant]) -> FastAPI:
    """The application of one process; what stands against it ends the process, and is said."""
    logging.config.dictConfig(dict(config_of(settings.log)))
    # It would cut running answers off as soon as the server is told to stop; the server itself waits for them.
    AppStatus.disable_automatic_graceful_drain()  # type: ignore[no-untyped-call]
    assistant = assistant_of(settings)
    over = assistant.over  # what follows must not hold the assistant itself: another one takes its place

    store = store_of(settings)

    def reopen(version: str) -> Assistant:
        if version not in store.versions():
            raise YuntuError(f"没有版本 {version} (no such version)。")
        return over(store.open(version, thorough=True))  # nobody verifies it later

    metrics = Metrics()
    versions = Versions(assistant, reopen)
    reload = Reload(store, over, versions, metrics)
    return create_app(
        versions,
        reload=reload.now,
        lifespan=partial(_beside, reload),
        feedback=settings.feedback,
        queue=settings.queue,
        deadline_s=settings.deadline_s,
        policy=policy,
        metrics=metrics,
        log_questions=settings.log_questions,
    )


def _in_a_worker(settings: Settings, policy: Policy, assistant_of: Callable[[Settings], Assistant]) -> FastAPI:
    """The same; where it fails the parent must not start another one. It ends when the parent was killed."""
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    try:
        return _application(settings, policy, assistant_of)
    except Exception as e:  # of whatever kind: it would fail again
        print(f"yuntu: {e if isinstance(e, YuntuError) else type(e).__name__}", file=sys.stderr)
        sys.exit(STARTUP_FAILED)


def _end_with_the_parent() -> None:
    """Else the next `serve` would find the port held by what nobody looks after."""
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


@contextlib.asynccontextmanager
async def _beside(reload: Reload, app: FastAPI) -> AsyncIterator[None]:
    """What runs beside the application: it settles, and the index is watched."""
    # The first question would wait a second for dictionaries. They load while nobody asks yet, but not at once:
    # meanwhile nothing else runs, and the page is to come first.
    settling = threading.Timer(SETTLE_AFTER_S, reload.settle)
    watching = threading.Thread(target=reload.watch, daemon=True)
    probing = threading.Thread(target=reload.probe, daemon=True)
    settling.daemon = True
    with _on_hangup(reload.soon):
        settling.start()
        watching.start()
        probing.start()
        yield
        settling.cancel()
        reload.stop()


@contextlib.contextmanager
def _on_hangup(act: Callable[[], None]) -> Iterator[None]:
    """Within it, SIGHUP does `act`; only the main thread can ask for that."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: Any = signal.signal(signal.SIGHUP, lambda *_: act())
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)
