"""Who writes an index, and which of its versions are being read: flock, which the system frees when its holder dies."""

import contextlib
import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from index.errors import IndexBusy, IndexUnwritable


@contextlib.contextmanager
def alone(root: Path) -> Iterator[None]:
    """One writer at a time.

    Raises: IndexBusy, naming who writes and since when; IndexUnwritable when the folder takes no files.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        f = (root / ".lock").open("a+b", buffering=0)
    except OSError as e:
        raise IndexUnwritable(root, e) from e
    with f:
        try:
            fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise IndexBusy(
                f"另一个 rebuild 正在写 {root} ({_owner(f)})。", "等它结束,或结束那个进程;这期间旧索引照常可用"
            ) from None
        except OSError as e:
            raise IndexUnwritable(root, e) from e
        owner = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.time()}
        with contextlib.suppress(OSError):  # a full disk: the lock holds without its holder's name
            f.truncate(0)
            f.write(json.dumps(owner).encode())
        yield


def _owner(lock: BinaryIO) -> str:
    """Who holds the lock, in words."""
    try:
        lock.seek(0)
        owner = json.loads(lock.read())
        took_s = max(0, int(time.time() - owner["since"]))  # a clock may have been set back
        return f"process {int(owner['pid'])}, host {owner['host']}, 已 {duration(took_s)}"
    except (OSError, ValueError, KeyError, TypeError):
        return "process ?"


def duration(seconds: int) -> str:
    """In words."""
    if seconds < 60:
        return f"{seconds} 秒"
    return f"{seconds // 60} 分钟" if seconds < 3600 else f"{seconds // 3600} 小时 {seconds % 3600 // 60} 分钟"


class Held:
    """A file that is in use until this is closed, or gone. Works in a read-only folder too."""

    def __init__(self, path: Path) -> None:
        """Raises: OSError when it is not there, or is being removed."""
        self._handle: int | None = None
        self._handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        with _where_locks_work():
            fcntl.flock(self._handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        if not os.path.samestat(os.fstat(self._handle), path.stat()):  # it was removed before it was locked
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))

    def close(self) -> None:
        """It may be removed."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)

    __del__ = close


@contextlib.contextmanager
def unless_held(path: Path) -> Iterator[None]:
    """Nobody can hold the file meanwhile. Raises: BlockingIOError when somebody does; OSError when it is gone."""
    with path.open("r+b") as f:  # over a network an exclusive lock needs a file that may be written to
        with _where_locks_work():
            fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


@contextlib.contextmanager
def _where_locks_work() -> Iterator[None]:
    """Elsewhere work goes on without: mapped files outlive their names."""
    try:
        yield
    except BlockingIOError:
        raise
    except OSError:
        pass
