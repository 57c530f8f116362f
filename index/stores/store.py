"""Where the versions of an index are found: in its folder, or in a Milvus that many servers share."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from index import publish, snapshot
from index.settings import Settings
from index.snapshot import Snapshot

_LOCK = threading.Lock()
_MILVUSES: dict[Any, Any] = {}  # (address, token) → Milvus


class Store(Protocol):
    """The versions of an index. What one opens stays as it is, whatever becomes of the others."""

    root: Path  # the folder of this machine
    look_every_s: float  # how often whoever serves looks for another version
    is_remote: bool  # it may not answer

    def current(self) -> str:
        """The version in use. Raises: IndexMissing, IndexDamaged, StoreUnavailable, StoreRefused."""
        ...

    def mark(self) -> object:
        """Another one whenever somebody switches, be it to the same version. Raises nothing of its own."""
        ...

    def versions(self) -> list[str]:
        """Every whole version, newest first."""
        ...

    def manifest(self, version: str) -> Mapping[str, Any]:
        """What a version is made of. Raises: IndexDamaged, IndexMismatch."""
        ...

    def open(self, version: str, *, thorough: bool = False) -> Snapshot:
        """Opens a version (snapshot.open_version)."""
        ...

    def open_sound(self, say: Callable[[str], None], *, thorough: bool = False) -> Snapshot:
        """The version in use; where that is damaged the newest that is sound, after saying so (snapshot.open_sound)."""
        ...

    def ready(self) -> None:
        """Whether a version can be published: told before one is made. Raises: StoreUnavailable, StoreRefused."""
        ...

    def publish(self, version: str, keep: int) -> None:
        """Makes a version of the folder findable and current, and forgets all but the `keep` newest others.

        Raises: IndexBusy, StoreUnavailable, StoreUnfit; the version in use is the one before then.
        """
        ...

    def verify(self, version: str) -> None:
        """Looks at all of a version. Raises: IndexDamaged, IndexMismatch, StoreUnfit."""
        ...

    def roll_back(self, version: str) -> None:
        """Makes another version current, when it is sound. Raises: IndexBusy, and as `verify`."""
        ...


class Folder:
    """The store of one machine: files, FAISS and bm25s."""

    look_every_s = 1.0
    is_remote = False

    def __init__(self, root: Path) -> None:
        self.root = root

    def current(self) -> str:
        """See Store."""
        return snapshot.current_version(self.root)

    def mark(self) -> object:
        """See Store: what changes whenever CURRENT is written anew."""
        try:
            stat = (self.root / "CURRENT").stat()
        except OSError:
            return None
        return stat.st_ino, stat.st_mtime_ns

    def versions(self) -> list[str]:
        """See Store."""
        return snapshot.versions(self.root)

    def manifest(self, version: str) -> Mapping[str, Any]:
        """See Store."""
        return snapshot.manifest_of(self.root, version)

    def open(self, version: str, *, thorough: bool = False) -> Snapshot:
        """See Store."""
        return snapshot.open_version(self.root, version, thorough=thorough)

    def open_sound(self, say: Callable[[str], None], *, thorough: bool = False) -> Snapshot:
        """See Store."""
        return snapshot.open_sound(self.root, say, thorough=thorough)

    def ready(self) -> None:
        """See Store: the writer's lock tells."""

    def publish(self, version: str, keep: int) -> None:
        """See Store: writing it has switched to it already."""
        publish.prune(self.root, keep)

    def verify(self, version: str) -> None:
        """See Store."""
        snapshot.verify(self.root, version)

    def roll_back(self, version: str) -> None:
        """See Store."""
        publish.roll_back(self.root, version)


def store_of(settings: Settings) -> Store:
    """The store that YUNTU_STORE names. Nothing is asked of it yet. Raises: BadSettings."""
    if not settings.store:
        return Folder(settings.index)
    from index.stores.milvus import Milvus
    from index.stores.milvus_address import address_of
    from index.stores.milvus_store import MilvusStore

    address, token = address_of(settings.store), settings.store_token.get_secret_value()
    with _LOCK:  # one for all who ask, or what one finds to be down another would not know of
        milvus = _MILVUSES.setdefault((address, token), Milvus(address, token))
    return MilvusStore(settings.index, milvus, settings.keep_versions)
