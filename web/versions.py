"""The index that is served, which can change between two requests, and older versions of it that links name."""

import threading
from collections import OrderedDict
from collections.abc import Callable

from index.errors import StoreUnavailable, YuntuError
from web.service import Service

OPEN = 3  # older versions held open: as many as `rebuild` keeps, so that no link makes us open one for each request


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
        self._current = current
        self.name = current.version  # the version's name also once it is known to be damaged
        self._reopen = reopen
        self._open: OrderedDict[str, Service] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def current(self) -> Service:
        """What is served now. Take it once a request: all that a request shows is of one version."""
        return self._current

    async def taken(self) -> Service:
        """`current`, as a dependency of a route."""
        return self._current

    def swap(self, service: Service) -> None:
        """From the next request on, `service` is served; requests that run finish on the one they took."""
        with self._lock:
            self._open[self.name] = self._current  # pages that are open now lead to its documents
            self._open.pop(service.version, None)
            self._shut()
            self._current, self.name = service, service.version

    def at(self, version: str | None, current: Service | None = None) -> Service:
        """The service of one version; the current one, as the request took it, for None.

        Raises: VersionGone.
        """
        current = current or self._current
        if version is None or version == current.version:
            return current
        if self._reopen is None:
            raise VersionGone(version)
        with self._lock:
            found = self._open.get(version)
            if found is None:
                try:
                    found = self._reopen(version)
                except StoreUnavailable:
                    raise
                except YuntuError as e:
                    raise VersionGone(version) from e
            self._open[version] = found
            self._open.move_to_end(version)
            self._shut()
            return found

    def _shut(self) -> None:
        while len(self._open) > OPEN:
            self._open.popitem(last=False)
