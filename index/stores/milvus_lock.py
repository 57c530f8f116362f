"""One writer at a time, of all machines: an alias is given to one collection only, and its name says who writes."""

import os
import re
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from index.errors import IndexBusy, StoreUnfit, YuntuError
from index.locks import duration
from index.stores.milvus import Milvus

WRITING = "yuntu_writing"
STALE_S = 6 * 3600  # a writer on another machine that is older than this is taken for dead
_SETTLE_S = 2.0  # after taking over: two may have done so
_LETTING_GO_S = 10.0
_OURS: set[str] = set()  # locks of this process
_FIELDS = [("id", "INT64", {}), ("nothing", "FLOAT_VECTOR", {"dim": 2})]  # a collection must have a vector


@contextmanager
def alone(milvus: Milvus) -> Iterator[Callable[[], None]]:
    """Nobody else writes meanwhile. Gives a check that this is still so, for before what cannot be undone.

    Raises: IndexBusy, naming who writes and since when; the check raises it too.
    """
    host = _here()
    own = f"yuntu_lock_{host}_{os.getpid()}_{int(time.time())}_{secrets.token_hex(4)}"
    _OURS.add(own)
    try:
        milvus.create(own, _FIELDS)
        _take(milvus, own, host)
        yield lambda: _still(milvus, own)
    finally:
        _OURS.discard(own)
        _let_go(milvus, own)


def _take(milvus: Milvus, own: str, host: str) -> None:
    try:
        milvus.give(WRITING, own, taken=False)
        return
    except StoreUnfit:
        holder = milvus.alias(WRITING)
        if holder is None:
            raise
    if not is_dead(holder, host):
        raise _busy(milvus, holder)
    failed = None
    try:
        milvus.give(WRITING, own, taken=True)
    except StoreUnfit as e:  # milvus-lite fails one of two at once, whichever of them then has it
        failed = e
    time.sleep(_SETTLE_S)  # who found the same one dead may have taken it too: the last one has it
    if failed and milvus.alias(WRITING) == holder:
        raise failed
    _still(milvus, own)
    milvus.drop(holder)


def _still(milvus: Milvus, own: str) -> None:
    if (holder := milvus.alias(WRITING)) != own:
        raise _busy(milvus, holder or "")


def _busy(milvus: Milvus, holder: str) -> IndexBusy:
    return IndexBusy(
        f"另一个 rebuild 正在写 {milvus.address.shown} ({owner_of(holder)})。",
        "等它结束,或结束那个进程;这期间旧索引照常可用",
    )


def _let_go(milvus: Milvus, own: str) -> None:
    """Tries for a while: what is left behind keeps others waiting."""
    until = time.monotonic() + _LETTING_GO_S
    while True:
        try:
            milvus.ping()
            if milvus.alias(WRITING) == own:
                milvus.let_go(WRITING)
            milvus.drop(own)
            return
        except YuntuError:
            if time.monotonic() > until:
                return
            time.sleep(0.5)


def _here() -> str:
    """This machine, or this container of it: process numbers mean something within it alone."""
    name = re.sub(r"\W", "_", socket.gethostname())[:60]
    try:
        return f"{name}_{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return name


def is_lock(collection: str) -> bool:
    """Whether a collection is a writer's."""
    return _parts(collection) is not None


def owner_of(lock: str) -> str:
    """Who writes, in words."""
    if (found := _parts(lock)) is None:
        return "process ?"
    return f"process {found[2]}, host {found[1]}, 已 {duration(max(0, int(time.time()) - int(found[3])))}"


def is_dead(lock: str, host: str) -> bool:
    """Whether who wrote does so no more: the process is gone, or it is another machine's and very old."""
    if (found := _parts(lock)) is None:
        return False
    if found[1] != host:
        return time.time() - int(found[3]) > STALE_S
    if int(found[2]) == os.getpid():
        return lock not in _OURS  # an earlier process had our number: containers start at 1 again
    try:
        os.kill(int(found[2]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False


def _parts(name: str) -> re.Match[str] | None:
    return re.fullmatch(r"yuntu_lock_(\w+)_(\d+)_(\d+)_[0-9a-f]{8}", name)
