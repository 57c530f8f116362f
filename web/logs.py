"""Logs: one line of JSON for each event, on stderr. What failed is told by its kind and place, not by its message.

A message may quote a question, a path or a key; the place is enough to find the fault.
"""

import logging
import re
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from pythonjsonlogger.json import JsonFormatter

_UNSEEN = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")  # ends lines or steers terminals
_FRAMES = 6  # the innermost ones


class Lines(JsonFormatter):
    """A log record as one line of JSON."""

    def __init__(self) -> None:
        super().__init__(
            "{levelname}{name}{message}",
            style="{",
            timestamp="at",
            rename_fields={"levelname": "level", "name": "logger", "message": "event", "exc_info": "failed"},
            json_ensure_ascii=False,
        )

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever a question holds."""
        return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", super().format(record))

    def formatException(  # noqa: N802  logging's name
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        """The kind of the error and where it came from, innermost first."""
        kind, _, trace = ei
        frames = reversed(traceback.extract_tb(trace)[-_FRAMES:])
        places = " < ".join(f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in frames)
        return f"{kind.__name__ if kind else '?'} at {places}"


def config_of(log: Literal["json", "off"]) -> Mapping[str, Any]:
    """For logging.config.dictConfig: what we and the server say; `off`: errors only."""
    level = "INFO" if log == "json" else "ERROR"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": "web.logs.Lines"}},
        "root": {"handlers": ["stderr"], "level": "WARNING" if log == "json" else "ERROR"},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "loggers": {
            "yuntu": {"handlers": ["stderr"], "level": level, "propagate": False},
            "uvicorn": {"handlers": ["stderr"], "level": "WARNING" if log == "json" else "ERROR", "propagate": False},
            "uvicorn.access": {"handlers": [], "propagate": False},  # it would write whole addresses: questions
        },
    }
