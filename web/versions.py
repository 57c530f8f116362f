"""The index that is served, and older versions of it that links name: what was shared is answered as it was."""

import threading
from collections import OrderedDict
from collections.abc import Callable

from index.errors import YuntuError
from web.service import Service

OPEN = 2  # older versions held open


class VersionGone(YuntuError):
    """A link names an index version that is not kept any more."""

    code = "version_gone"

    def __init__(self, version: str) -> None:
        super().__init__(
            f"索引版本 {version[:40]} 已不保留 (this index version is no longer kept)。",
            "请在现在的索引里再问一次 (ask again, of the current index)",
        )


class Versions:
    """Called from many threads at once."""

    def __init__(self, current: Service, reopen: Callable[[str], Service] | None = None) -> None:
        """`reopen`: opens a version that is still on disk, and raises a YuntuError where it is not; None: none is."""
        self.current = current
        self._reopen = reopen
        self._open: OrderedDict[str, Service] = OrderedDict()
        self._lock = threading.Lock()

    def at(self, version: str | None) -> Service:
        """The service of one version; the current one for None.

        Raises: VersionGone.
        """
        if version is None or version == self.current.version:
            return self.current
        if self._reopen is None:
            raise VersionGone(version)
        with self._lock:
            if version not in self._open:
                try:
                    self._open[version] = self._reopen(version)
                except YuntuError as e:
                    raise VersionGone(version) from e
                while len(self._open) > OPEN:
                    self._open.popitem(last=False)
            self._open.move_to_end(version)
            return self._open[version]
