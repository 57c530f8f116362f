"""Every change to the index on disk goes through here: nothing else creates, renames or removes a file of it.

When a function returns, its work has reached the disk. What fails raises OSError, as the system says it.
"""

import contextlib
import errno
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

_BUFFER = 1 << 20
_NEW = ".new"


class _Unbuffered(io.RawIOBase):
    """A file handle to write to. It hides its number, so that NumPy writes through it and errors keep their kind."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return os.write(self._handle, data)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """A file to write to from its beginning; at the end it is flushed and on the disk."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    raw = _Unbuffered(handle)
    try:
        buffered = io.BufferedWriter(raw, _BUFFER)
        yield cast(BinaryIO, buffered)
        buffered.flush()
        os.fsync(handle)
    finally:
        raw.close()  # what is left in the buffer after an error goes nowhere: the handle's number may be another's soon
        os.close(handle)


def write_whole(path: Path, data: bytes) -> None:
    """Replaces a small file in one step: whoever looks sees the old bytes or the new ones."""
    temporary = path.with_name(f".{path.name}{_NEW}")
    with writing(temporary) as f:
        f.write(data)
    os.replace(temporary, path)
    fsync_folder(path.parent)


def make_folder(path: Path) -> None:
    """Makes one folder."""
    os.mkdir(path)


def rename(source: Path, target: Path) -> None:
    """Gives a file or a folder another name."""
    os.rename(source, target)
    fsync_folder(target.parent)


def fsync_folder(folder: Path) -> None:
    """The names in a folder reach the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    except OSError as e:
        if e.errno != errno.EINVAL:  # some network file systems sync no folders
            raise
    finally:
        os.close(handle)


def remove(path: Path) -> None:
    """Removes a file, if it is there."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def remove_tree(folder: Path) -> None:
    """Removes a folder and what is in it, if it is there."""
    for path, folders, names in os.walk(folder, topdown=False):
        for name in names:
            os.unlink(os.path.join(path, name))
        for name in folders:
            os.rmdir(os.path.join(path, name))
    with contextlib.suppress(FileNotFoundError):
        os.rmdir(folder)


def remove_unfinished(folder: Path) -> None:
    """Removes what `write_whole` left there when it was killed."""
    for path in folder.glob(f".*{_NEW}"):
        remove(path)
