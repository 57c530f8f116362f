"""What people said of answers: one line of JSON each, in a file of this machine."""

import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from index.errors import YuntuError

MAX_BYTES = 50_000_000  # of the file: whoever can reach the page can write to it


class FeedbackLost(YuntuError):
    """Feedback could not be written."""

    code = "feedback_lost"


def write(path: Path, row: dict[str, Any]) -> None:
    """Appends a line and waits until it is on disk. Raises: FeedbackLost."""
    line = (json.dumps(row, ensure_ascii=False) + "\n").encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as f:
            fcntl.flock(f, fcntl.LOCK_EX)
            if f.tell() + len(line) > MAX_BYTES:
                raise FeedbackLost(
                    "意见文件已满 (the feedback file is full)。",
                    "请管理员移走 YUNTU_FEEDBACK 指的文件 (move it away, then try again)",
                )
            f.write(line)
            f.flush()
            os.fsync(f.fileno())
    except OSError as e:
        raise FeedbackLost(
            f"意见没有写下 (not written): {e.strerror or 'error'}",
            "请管理员检查 YUNTU_FEEDBACK 指的文件能否写入 (check that it can be written)",
        ) from e


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Every line, oldest first; a line that was cut short is left out."""
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as f:
        for line in f:
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict):
                yield row
