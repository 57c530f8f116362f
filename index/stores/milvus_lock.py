"""One writer at a time, of all machines: an alias is given to one collection only, and its name says who writes."""

import os
import re
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from index.errors import IndexBusy, StoreUnfit, YuntuError
from index.locks import duration
from index.stores.milvus import Milvus

WRITING = "yuntu_writing"
STALE_S = 6 * 3600  # a writer on another machine that is older than this is taken for dead
_FIELDS = [("id", "INT64", {}), ("nothing", "FLOAT_VECTOR", {"dim": 2})]  # a collection must have a vector


@contextmanager
def alone(milvus: Milvus) -> Iterator[None]:
    """Nobody else writes meanwhile. Raises: IndexBusy, naming who does and since when."""
    host = re.sub(r"\W", "_", socket.gethostname())[:60]
    own = f"yuntu_lock_{host}_{os.getpid()}_{int(time.time())}_{secrets.token_hex(4)}"
    milvus.create(own, _FIELDS)
    try:
        _take(milvus, own, host)
        yield
    finally:
        with suppress(YuntuError):
            if milvus.alias(WRITING) == own:
                milvus.let_go(WRITING)
            milvus.drop(own)


def _take(milvus: Milvus, own: str, host: str) -> None:
    try:
        milvus.give(WRITING, own, taken=False)
    except StoreUnfit:
        holder = milvus.alias(WRITING)
        if holder is None or not is_dead(holder, host):
            raise IndexBusy(
                f"另一个 rebuild 正在写 {milvus.address.shown} ({owner_of(holder or '')})。",
                "等它结束,或结束那个进程;这期间旧索引照常可用",
            ) from None
        milvus.give(WRITING, own, taken=True)
        milvus.drop(holder)


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
    if found[1] == host:
        try:
            os.kill(int(found[2]), 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False
    return time.time() - int(found[3]) > STALE_S


def _parts(name: str) -> re.Match[str] | None:
    return re.fullmatch(r"yuntu_lock_(\w+)_(\d+)_(\d+)_[0-9a-f]{8}", name)
