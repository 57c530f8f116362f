"""One Milvus: the few things we ask of it, with failures that are ours. `pip install 'yuntu-qa[milvus]'`.

A server that does not answer is not asked again for a while but by `ping`, so that whoever waits is told at once.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from index.errors import BadSettings, StoreRefused, StoreUnavailable, StoreUnfit
from index.stores.milvus_address import Address

SOON_S = 3.0  # for a search and a look; Milvus itself answers in milliseconds
PING_S = 0.5
WRITING_S = 120.0  # for a batch, a flush, an index
LOADING_S = 3600.0  # for a collection to come into memory
AGAIN_S = 3.0  # what was down is not asked for so long, but by `ping`
_TRANSIENT = ("UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED")
_PASSING = (  # as Milvus words what will be over by itself
    "fail connecting",
    "failed connect",
    "server unavailable",
    "service unavailable",
    "service not ready",
    "not fully loaded",
    "no available",
    "channel not",
    "node not",
    "node offline",
    "rate limit",
)
_ABSENT = ("not found", "not exist")
_REFUSED = ("UNAUTHENTICATED", "PERMISSION_DENIED")
_NOT_LOADED = 101  # Milvus's number for it
_LOADS = 10  # of one question: each server that starts releases what it has read, once
_OPTIONS = {
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 500,
    "grpc.keepalive_permit_without_calls": 0,  # servers hang up on who pings and asks nothing
}


class Milvus:
    """Calls to one Milvus. Threads share it; the connection is made by the first call."""

    def __init__(self, address: Address, token: str) -> None:
        self.address = address
        self._token = token
        self._client: Any = None
        self._lock = threading.Lock()
        self._down_until = 0.0

    def check(self) -> None:
        """Raises: StoreUnavailable when it did not answer a moment ago."""
        if time.monotonic() < self._down_until:
            raise StoreUnavailable(self.address.shown)

    def ping(self) -> None:
        """Whether it answers, whatever `check` says. Raises: StoreUnavailable, StoreRefused."""
        with self._told():
            self._connected().list_collections(timeout=PING_S)

    def call(self, what: Callable[[Any], Any]) -> Any:
        """What a pymilvus client says. Raises: StoreUnavailable, StoreRefused, StoreUnfit."""
        self.check()
        with self._told():
            return what(self._connected())

    def ask(self, name: str, what: Callable[[Any], Any]) -> Any:
        """`call` about what a collection holds. It is loaded first where the server does not say what it holds.

        A server may have forgotten when it was started again; and whoever has read it may release it just then.
        """
        for _ in range(_LOADS):
            try:
                return self.call(what)
            except StoreUnfit as e:
                if getattr(e.__cause__, "code", None) != _NOT_LOADED:
                    raise
            self.load(name)
        return self.call(what)

    def close(self) -> None:
        """Ends the connection, and the engine of a file."""
        client, self._client = self._client, None
        if client is not None:
            client.close()
        if self.address.is_file:
            from milvus_lite.server_manager import server_manager_instance

            server_manager_instance.release_server(self.address.uri)

    # --- collections and aliases

    def collections(self) -> list[str]:
        """The names of all of them."""
        return [str(name) for name in self.call(lambda c: c.list_collections(timeout=SOON_S))]

    def has(self, name: str) -> bool:
        """Whether there is such a collection."""
        return bool(self.call(lambda c: c.has_collection(name, timeout=SOON_S)))

    def count(self, name: str) -> int:
        """The rows of a collection, also those written a moment ago."""
        asked = {"output_fields": ["count(*)"], "consistency_level": "Strong", "timeout": WRITING_S}
        return int(self.ask(name, lambda c: c.query(name, filter="", **asked))[0]["count(*)"])

    def create(self, name: str, fields: Sequence[tuple[str, str, dict[str, Any]]]) -> None:
        """A collection of these fields: name, pymilvus's name of the type, options. The first one is the key."""

        def created(client: Any) -> None:
            from pymilvus import DataType

            schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
            for n, (field, kind, options) in enumerate(fields):
                schema.add_field(field, DataType[kind], is_primary=not n, **options)
            client.create_collection(name, schema=schema, timeout=WRITING_S)

        self.call(created)

    def insert(self, name: str, rows: list[dict[str, Any]]) -> None:
        """Adds rows."""
        self.call(lambda c: c.insert(name, rows, timeout=WRITING_S))

    def flush(self, name: str) -> None:
        """What was inserted lasts."""
        self.call(lambda c: c.flush(name, timeout=WRITING_S))

    def index(self, name: str, indexes: Mapping[str, tuple[str, dict[str, int]]], *, wait: bool = True) -> None:
        """Indexes fields by inner product: field → kind and options; returns when that is done, or goes on."""

        def indexed(client: Any) -> None:
            params = client.prepare_index_params()
            for field, (kind, options) in indexes.items():
                params.add_index(field, index_type=kind, metric_type="IP", params=options)
            client.create_index(name, params, timeout=LOADING_S, sync=wait)

        self.call(indexed)

    def load(self, name: str) -> None:
        """Makes a collection searchable; takes no time where it is."""
        self.call(lambda c: c.load_collection(name, timeout=LOADING_S))

    def release(self, name: str) -> None:
        """Takes a collection out of the server's memory; whoever asks for it loads it again."""
        self.call(lambda c: c.release_collection(name, timeout=WRITING_S))

    def rows(self, name: str, keys: Sequence[Any] | None, fields: Sequence[str]) -> list[dict[str, Any]]:
        """Rows by their keys, or all of a small collection, also those written a moment ago."""
        asked = {"output_fields": list(fields), "consistency_level": "Strong", "timeout": WRITING_S}
        if keys is None:
            return list(self.ask(name, lambda c: c.query(name, filter="", limit=1000, **asked)))
        return list(self.ask(name, lambda c: c.get(name, ids=list(keys), **asked)))

    def delete(self, name: str, key: str) -> None:
        """Removes a row."""
        self.call(lambda c: c.delete(name, ids=[key], timeout=WRITING_S))

    def drop(self, name: str) -> None:
        """Removes a collection, if it is there."""
        self.call(lambda c: c.drop_collection(name, timeout=WRITING_S))

    def alias(self, alias: str) -> str | None:
        """The collection an alias is of; None where there is no such alias."""
        try:
            return str(self.call(lambda c: c.describe_alias(alias=alias, timeout=SOON_S))["collection_name"])
        except StoreUnfit as e:
            if any(said in e.message for said in _ABSENT):
                return None
            raise

    def give(self, alias: str, name: str, *, taken: bool) -> None:
        """An alias to a collection; `taken`: from another one. Raises: StoreUnfit when it is another's."""
        if taken:
            self.call(lambda c: c.alter_alias(collection_name=name, alias=alias, timeout=WRITING_S))
        else:
            self.call(lambda c: c.create_alias(collection_name=name, alias=alias, timeout=WRITING_S))

    def let_go(self, alias: str) -> None:
        """Removes an alias."""
        self.call(lambda c: c.drop_alias(alias=alias, timeout=WRITING_S))

    def version(self) -> str:
        """Of the server, as it tells it."""
        return str(self.call(lambda c: c.get_server_version(timeout=SOON_S)))

    def _connected(self) -> Any:
        with self._lock:
            if self._client is None:
                self._client = _connect(self.address, self._token)
            return self._client

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What goes wrong, in our words; what does not answer is down for a while."""
        try:
            yield
        except (BadSettings, StoreUnfit):
            raise
        except Exception as e:
            if _kind_of(e, _REFUSED, ("auth check failure", "privilege", "permission deny")):
                raise StoreRefused(self.address.shown) from e
            if kind := _kind_of(e, _TRANSIENT, _PASSING):
                self._down_until = time.monotonic() + AGAIN_S
                raise StoreUnavailable(self.address.shown, kind) from e
            raise StoreUnfit(f"{self.address.shown}: {_first_line(e)}。", _hint(e)) from e
        self._down_until = 0.0


def _connect(address: Address, token: str) -> Any:
    # gRPC's threads, begun again in a forked process, end it before it becomes a program: Ray's, among others
    # (grpc/grpc#43055). We use no connection in a forked process.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    try:
        from pymilvus import MilvusClient
    except ImportError as e:
        raise BadSettings("没有装 pymilvus (not installed)。", "请运行: pip install 'yuntu-qa[milvus]'") from e
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # it prints what it raises
    if address.is_file:
        return _opened_file(address, MilvusClient)
    return MilvusClient(
        address.uri, token=token, db_name=address.database, timeout=SOON_S, dedicated=True, grpc_options=_OPTIONS
    )


def _opened_file(address: Address, client: Any) -> Any:
    for name in ("milvus_lite", "pymilvus"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        import milvus_lite  # noqa: F401
    except ImportError as e:
        raise BadSettings("没有装 milvus-lite (not installed)。", "请运行: pip install 'yuntu-qa[milvus]'") from e
    try:
        Path(address.uri).parent.mkdir(parents=True, exist_ok=True)
        return client(address.uri)
    except Exception as e:
        raise StoreUnfit(
            f"打不开 {address.shown} (cannot open): {_first_line(e)}",
            "一个 milvus-lite 文件同时只能由一个进程打开:停掉另一个,或者用 milvus-lite server 起一个服务,写 milvus://…",
        ) from e


def _kind_of(error: BaseException, codes: tuple[str, ...], said: tuple[str, ...]) -> str:
    """The first of `codes` that an error, or what it came of, is of. Empty when it is of none."""
    seen: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in seen:  # pymilvus raises errors from themselves
        seen.append(at)
        at = at.__cause__
    for one in seen:
        code = getattr(one, "code", "")
        told = f"{code() if callable(code) else code} {one}"
        if kind := next((k for k in codes if k in told), ""):
            return kind
        if any(s in told.lower() for s in said):
            return codes[0]
    return ""


def _hint(error: BaseException) -> str:
    if "database" in str(error).lower() and any(said in str(error) for said in _ABSENT):
        return "先在 Milvus 里建好这个数据库,或改 YUNTU_STORE 最后一段"
    return "看 Milvus 的日志;会坏成什么样、怎么办: docs/deploy.md"


def _first_line(error: BaseException) -> str:
    text = str(getattr(error, "message", "") or error).strip()
    return text.splitlines()[0][:300] if text else type(error).__name__
