"""A disk that fails, and a process that dies, at the nth change to the index."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tqdm import tqdm

from index import files

CHANGES = ("open", "write", "fsync", "mkdir", "rename", "replace", "unlink", "rmdir")


class Disk:
    """`os` for index/files.py: counts the changes, and may not let them pass. Nothing waits for a real disk."""

    def __init__(self, before: Callable[[int, str], None] = lambda n, name: None) -> None:
        """`before` is called with the number of each change, from 1, and its name; it may raise."""
        self.changes: list[str] = []
        self._before = before

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in CHANGES:
            return real

        def change(*args: Any) -> Any:
            self.changes.append(name)
            try:
                self._before(len(self.changes), name)
            except OSError:
                if name == "write":  # it fails half-way
                    handle, data = args
                    real(handle, bytes(data)[: len(data) // 2])
                raise
            return None if name == "fsync" else real(*args)

        return change


@contextlib.contextmanager
def changing(before: Callable[[int, str], None] = lambda n, name: None) -> Iterator[Disk]:
    """All changes to an index go through the disk that is given."""
    disk = Disk(before)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "os", disk)
        yield disk


def failing(at: int, number: int, *, for_good: bool = False) -> "contextlib.AbstractContextManager[Disk]":
    """The change `at` fails with an errno; `for_good`: so do all after it."""

    def before(n: int, name: str) -> None:
        if n == at or (for_good and n > at):
            raise OSError(number, os.strerror(number))

    return changing(before)


def in_a_child(work: Callable[[], object], before: Callable[[int, str], None] = lambda n, name: None) -> int:
    """Starts `work` in a copy of this process, on such a disk. Returns its process id; it ends with 0, or 1."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        tqdm.set_lock(threading.RLock())  # its own one is shared with the parent, which would wait for who was killed
        files.os = Disk(before)
        work()
        status = 0
    finally:
        os._exit(status)


def end_of(child: int) -> int:
    """Its exit status, or minus the signal it died of."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def dying(at: int) -> Callable[[int, str], None]:
    """For the child: it is killed just before the change `at`."""

    def before(n: int, name: str) -> None:
        if n == at:
            os.kill(os.getpid(), signal.SIGKILL)

    return before
