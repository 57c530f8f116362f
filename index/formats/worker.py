"""Reads files in a process of its own, under limits: a hostile or broken file costs that process, never the index.

The two ends speak in lines of JSON over a pipe: the file's path and format there, its text or the reason why not back.
"""

import contextlib
import json
import os
import resource
import select
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from index.formats.extracted import Extracted
from index.values import Place, Removal

READERS = (".html", ".htm", ".pdf", ".docx", ".pptx", ".xlsx", ".csv", ".epub")  # the formats read here
_WRONG = ((b"%PDF-", ".pdf"), (b"PK\x03\x04", "zip"), (b"\x89PNG", "png"), (b"\xff\xd8\xff", "jpeg"), (b"GIF8", "gif"))
_ZIPPED = {".docx": "word/", ".pptx": "ppt/", ".xlsx": "xl/", ".epub": "META-INF/container.xml"}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost."""

    file_bytes: int = 50_000_000
    memory_bytes: int = 512_000_000
    timeout_s: float = 10.0


class Worker:
    """A reading process; started when first needed, and anew after a file has broken it. Not for several threads."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Worker":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def read(self, path: Path, suffix: str) -> Extracted:
        """The text of a file.

        Args:
            suffix: which format it is taken for, one of READERS.
        Raises: ValueError with the reason why there is none: of the file, or that it took too long or too much memory.
        """
        fresh = self._process is None or self._process.poll() is not None
        said = self._ask(path, suffix)
        if not fresh and "memory" in said.get("why", ""):  # what earlier files left behind may be to blame
            said = self._ask(path, suffix)
        if "why" in said:
            raise ValueError(said["why"])
        return Extracted(
            said["text"],
            said["fields"],
            tuple(Place(**p) for p in said["places"]),
            tuple(Removal(**m) for m in said["marked"]),
            tuple(said["notes"]),
        )

    def _ask(self, path: Path, suffix: str) -> dict[str, Any]:
        process = self._process if self._process is not None and self._process.poll() is None else self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps([os.fspath(path), suffix]).encode() + b"\n")
            process.stdin.flush()
            reply = self._line(process.stdout)
        except BrokenPipeError:
            reply = b""
        if reply is None:
            self._stop()
            return {"why": f"读了 {self._limits.timeout_s:.0f} 秒还没读完,放弃 (took too long)"}
        if not reply:
            self._stop()
            return {"why": "读这个文件时解析器崩溃了 (the parser crashed on it)"}
        said: dict[str, Any] = json.loads(reply)
        if "memory" in said.get("why", ""):
            self._stop()
        return said

    def _start(self) -> subprocess.Popen[bytes]:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "index.formats.worker", str(self._limits.memory_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "PYTHONSAFEPATH": "1"},
        )
        return self._process

    def _line(self, out: IO[bytes]) -> bytes | None:
        """The next line; empty when the process has ended, None when time is up."""
        until = time.monotonic() + self._limits.timeout_s
        pieces: list[bytes] = []
        while (left := until - time.monotonic()) > 0:
            if select.select([out], [], [], left)[0]:
                piece = os.read(out.fileno(), 1 << 20)
                pieces.append(piece)
                if not piece or piece.endswith(b"\n"):
                    return b"".join(pieces) if piece else b""
        return None

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def _reader_of(suffix: str) -> Callable[[bytes], Extracted]:
    """What reads a format. What that needs is imported when the first file of it comes."""
    if suffix in (".html", ".htm"):
        from index.formats.web_page import read
    elif suffix == ".pdf":
        from index.formats.pdf import read
    elif suffix == ".docx":
        from index.formats.word import read
    elif suffix == ".pptx":
        from index.formats.slides import read
    elif suffix == ".epub":
        from index.formats.epub import read
    elif suffix == ".csv":
        from index.formats.sheet import read_csv as read
    else:
        from index.formats.sheet import read
    return read


def wrong_format(raw: bytes, suffix: str) -> str | None:
    """What a file is that is not of the format its name says; None where it may be."""
    inside = next((name for magic, name in _WRONG if raw.startswith(magic)), None)
    if suffix in _ZIPPED:
        if inside == "zip":
            return None if _ZIPPED[suffix].encode() in raw else "zip"
        locked = raw.startswith(b"\xd0\xcf\x11\xe0")
        return None if locked else inside or "text"
    if suffix == ".pdf":
        return None if b"%PDF-" in raw[:1024] else inside or "text"
    return inside


def extract(path: str, suffix: str) -> Extracted:
    """Reads one file here and now, under nobody's limits. Raises: ValueError, OSError."""
    raw = Path(path).read_bytes()
    if not raw.strip():
        raise ValueError("空文件 (empty)")
    if (inside := wrong_format(raw, suffix)) is not None:
        raise ValueError(f"扩展名是 {suffix},内容却是 {inside} (wrong extension): 请改名")
    found = _reader_of(suffix)(raw)
    if not found.text.strip():
        raise ValueError("文件里没有文字 (no text in the file)")
    return found


def _said_of(path: str, suffix: str) -> dict[str, Any]:
    try:
        return asdict(extract(path, suffix))
    except ValueError as e:
        return {"why": str(e)}
    except MemoryError:
        return {"why": "读它要的内存超过上限 (needs too much memory)"}
    except RecursionError:
        return {"why": "嵌套太深 (nested too deeply)"}
    except Exception as e:  # a library's own error of any kind: the file is named, the others go on
        return {"why": f"读不了 (cannot be read): {type(e).__name__}: {e}"[:300]}


def main() -> None:
    """The reading process: a request a line, until the pipe closes."""
    limit = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not look like an answer
    with contextlib.suppress(KeyboardInterrupt):
        for line in sys.stdin.buffer:
            path, suffix = json.loads(line)
            reply = _said_of(path, suffix)
            answers.write(json.dumps(reply).encode() + b"\n")
            answers.flush()


if __name__ == "__main__":
    main()
