"""A file as short texts, and back: a Milvus keeps texts, and every server can read them."""

import base64
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

LONGEST = 65_535  # bytes of a text, as Milvus counts them
_RAW = LONGEST // 4 * 3 // 3 * 3  # of base64: three bytes are four characters
_BLOCK = 1 << 20


def parts_of(path: Path) -> Iterator[str]:
    """The texts a file is kept as, in order; at least one."""
    squeeze = zlib.compressobj(6)
    waiting = bytearray()
    with path.open("rb") as f:
        while block := f.read(_BLOCK):
            waiting += squeeze.compress(block)
            while len(waiting) >= _RAW:
                yield base64.b64encode(waiting[:_RAW]).decode()
                del waiting[:_RAW]
    waiting += squeeze.flush()
    for at in range(0, len(waiting), _RAW):
        yield base64.b64encode(waiting[at : at + _RAW]).decode()


def restore(parts: Iterable[str], to: BinaryIO) -> None:
    """Writes the file that `parts` are of. Raises: ValueError when they are of none."""
    unsqueeze = zlib.decompressobj()
    try:
        for part in parts:
            to.write(unsqueeze.decompress(base64.b64decode(part)))
        to.write(unsqueeze.flush())
    except zlib.error as e:
        raise ValueError(str(e)) from e
    if not unsqueeze.eof:
        raise ValueError("the end is missing")
