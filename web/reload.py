"""The index that is served, exchanged for a newer version in between: opened and checked beside it first."""

import contextlib
import logging
import math
import threading
import time
from collections.abc import Callable
from typing import Any

from index.errors import IndexDamaged, IndexMismatch, StoreUnavailable, YuntuError
from index.snapshot import Snapshot
from index.stores.store import Store
from rag.assistant import Assistant
from web.metrics import Metrics
from web.versions import Versions

AGAIN_S = 60.0  # after a version could not be opened for want of memory or the like
_LOG = logging.getLogger("yuntu.index")


class Reload:
    """Follows the store. One thread looks; requests go on with the version they took."""

    def __init__(
        self, store: Store, opened: Callable[[Snapshot], Assistant], versions: Versions, metrics: Metrics
    ) -> None:
        """`opened`: what answers from a snapshot."""
        self._store = store
        self._opened = opened
        self._versions = versions
        self._metrics = metrics
        self._refused: object = None  # the mark of what could not be opened: until somebody switches again
        self._retry_at = 0.0  # … or until then, where that was not the version's fault
        self._said = ""  # the trouble that was told of last
        self._lock = threading.Lock()
        self._look = threading.Event()
        self._stopped = False

    def now(self) -> dict[str, Any]:
        """Looks at once. Raises: YuntuError when the version in use cannot be served."""
        with self._lock:
            self._refused = None
            changed = self._follow()
        return {"status": "reloaded" if changed else "unchanged", "index_version": self._versions.current.version}

    def soon(self) -> None:
        """Looks as soon as the thread gets to it: for signal handlers."""
        self._refused, self._said = None, ""
        self._look.set()

    def watch(self) -> None:
        """Looks again and again, until `stop`. What stays wrong is said once."""
        while not self._stopped:
            try:
                with self._lock:
                    self._follow()
            except Exception as e:
                if self._said != (said := f"{type(e).__name__}: {e}"):
                    self._said = said
                    _tell("not switched", e)
            self._look.wait(self._store.look_every_s)
            self._look.clear()

    def probe(self) -> None:
        """Asks the store again and again whether it is there, until `stop`: `watch` may be opening a version."""
        while self._store.is_remote and not self._stopped:
            with contextlib.suppress(Exception):
                self._store.ready()
            time.sleep(self._store.look_every_s)

    def stop(self) -> None:
        """Ends `watch` and `probe`."""
        self._stopped = True
        self._look.set()

    def settle(self) -> None:
        """What can wait until the door is open: dictionaries, and the hashes of a large index.

        What turns out to be damaged gives way to the newest version that is sound.
        """
        with self._lock:
            served = self._versions.current
            try:
                served.warm_up()
            except Exception as e:  # a first question finds the same, or waits
                _tell("not warmed up", e)
            try:
                served.verify(self._store.root)
            except YuntuError as e:
                _tell("damaged", e)
            except Exception as e:  # no memory, no more files: it stays unverified, as /readyz says
                _tell("not verified", e)
                return
            else:
                return
            try:
                self._switch(lambda: self._store.open_sound(self._say, thorough=True))
            except Exception as e:
                _tell("no sound version", e)

    @staticmethod
    def _say(said: str) -> None:
        _LOG.error("damaged", extra={"why": said})

    def _follow(self) -> bool:
        mark = self._store.mark()  # before it is read: else it could be another by then
        wanted = self._store.current()
        if self._serves(wanted):
            self._said = ""  # what goes wrong from here on is news
            return False
        if mark == self._refused and time.monotonic() < self._retry_at:
            return False
        before = self._versions.current
        try:
            self._switch(lambda: self._store.open(wanted, thorough=True))
        except BaseException as e:
            if self._versions.current is before:
                self._refused = mark
                self._retry_at = _retry_at(e)
                self._metrics.swapped("failed")
            raise
        self._said = ""
        return True

    def _serves(self, version: str) -> bool:
        """Whether that is what answers. What is known to be damaged does not, and may have been mended since."""
        try:
            return self._versions.current.version == version
        except YuntuError:
            return False

    def _switch(self, opened: Callable[[], Snapshot]) -> None:
        assistant = self._opened(opened())
        assistant.warm_up()
        before = self._versions.name
        self._versions.swap(assistant)
        self._metrics.swapped("done")
        self._metrics.index(assistant.version, assistant.built_at, {})  # also where nobody asks this process
        _LOG.info("switched", extra={"from": before, "to": assistant.version})


def _retry_at(error: BaseException) -> float:
    """When a version that could not be opened is tried again, though nobody switched."""
    if isinstance(error, StoreUnavailable):
        return 0.0
    return math.inf if isinstance(error, (IndexDamaged, IndexMismatch)) else time.monotonic() + AGAIN_S


def _tell(what: str, error: Exception) -> None:
    """What went wrong: in words where they are ours, else its kind and place."""
    if isinstance(error, YuntuError):
        _LOG.error(what, extra={"why": str(error)})
    else:
        _LOG.error(what, exc_info=error)
