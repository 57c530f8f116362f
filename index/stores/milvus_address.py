"""Where a Milvus is, as YUNTU_STORE says it."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from index.errors import BadSettings


@dataclass(frozen=True, slots=True)
class Address:
    """Where a Milvus is."""

    uri: str  # as pymilvus wants it
    database: str
    shown: str  # as it was written

    @property
    def is_file(self) -> bool:
        """milvus-lite, in this process: nobody else can open the file meanwhile."""
        return self.uri.endswith(".db")


def address_of(store: str) -> Address:
    """Reads YUNTU_STORE. Raises: BadSettings."""
    if store.endswith(".db") and "://" not in store:
        return Address(str(Path(store).expanduser().absolute()), "", store)
    try:
        parts = urlsplit(store)
        port = parts.port or 19530
    except ValueError:
        parts, port = urlsplit(""), 0
    scheme = {"milvus": "http", "milvus+tls": "https"}.get(parts.scheme)
    database = parts.path.strip("/")
    if "@" in store:
        raise BadSettings(
            "YUNTU_STORE 里不要写密码 (no credentials in the address)。", "用 YUNTU_STORE_TOKEN=用户名:密码"
        )
    if scheme is None or not parts.hostname or not port or not re.fullmatch(r"\w*", database) or parts.query:
        raise BadSettings(
            f"YUNTU_STORE={store!r} 看不懂 (not understood)。",
            "写 milvus://主机:端口/数据库、milvus+tls://…，或 milvus-lite 的文件名 (….db)",
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Address(f"{scheme}://{host}:{port}", database, store)
