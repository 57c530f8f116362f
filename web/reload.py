"""The index that is served, exchanged for a newer version in between: opened and checked beside it first."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from index import snapshot
from index.errors import YuntuError
from index.snapshot import Snapshot
from rag.assistant import Assistant
from web.metrics import Metrics
from web.versions import Versions

EVERY_S = 1.0  # between two looks at CURRENT
_LOG = logging.getLogger("yuntu.index")


class Reload:
    """Follows CURRENT. One thread looks; requests go on with the version they took."""

    def __init__(
        self, root: Path, opened: Callable[[Snapshot], Assistant], versions: Versions, metrics: Metrics
    ) -> None:
        """`opened`: what answers from a snapshot."""
        self._root = root
        self._opened = opened
        self._versions = versions
        self._metrics = metrics
        self._refused: str | None = None  # what could not be opened: not tried again until CURRENT changes
        self._lock = threading.Lock()
        self._look = threading.Event()
        self._stopped = False

    def now(self) -> dict[str, Any]:
        """Looks at once. Raises: YuntuError when the version that CURRENT names cannot be served."""
        with self._lock:
            self._refused = None
            changed = self._follow()
        return {"status": "reloaded" if changed else "unchanged", "index_version": self._versions.current.version}

    def soon(self) -> None:
        """Looks as soon as the thread gets to it: for signal handlers."""
        self._refused = None
        self._look.set()

    def watch(self) -> None:
        """Looks again and again, until `stop`."""
        while not self._stopped:
            try:
                with self._lock:
                    self._follow()
            except YuntuError as e:
                _LOG.error("not switched", extra={"why": str(e), "refused": self._refused})
            except Exception as e:
                _LOG.error("not switched", exc_info=e)
            self._look.wait(EVERY_S)
            self._look.clear()

    def stop(self) -> None:
        """Ends `watch`."""
        self._stopped = True
        self._look.set()

    def settle(self) -> None:
        """What can wait until the door is open: dictionaries, and the hashes of a large index.

        What turns out to be damaged gives way to the newest version that is sound.
        """
        with self._lock:
            self._versions.current.warm_up()
            try:
                self._versions.current.verify(self._root)
            except YuntuError as e:
                _LOG.error("damaged", extra={"why": str(e)})
                try:
                    self._switch(lambda: snapshot.open_sound(self._root, self._say, thorough=True))
                except YuntuError as worse:
                    _LOG.error("no sound version", extra={"why": str(worse)})

    @staticmethod
    def _say(said: str) -> None:
        _LOG.error("damaged", extra={"why": said})

    def _follow(self) -> bool:
        wanted = snapshot.current_version(self._root)
        if wanted in (self._versions.name, self._refused):
            return False
        try:
            self._switch(lambda: snapshot.open_version(self._root, wanted, thorough=True))
        except BaseException:
            if wanted == self._versions.name:
                raise
            self._refused = wanted
            self._metrics.swapped("failed")
            raise
        return True

    def _switch(self, opened: Callable[[], Snapshot]) -> None:
        assistant = self._opened(opened())
        assistant.warm_up()
        before = self._versions.name
        self._versions.swap(assistant)
        self._metrics.swapped("done")
        _LOG.info("switched", extra={"from": before, "to": assistant.version})
