"""API keys: who may ask, who may also administer. The file holds digests; a key itself is shown once, when it is made.

A key is random (256 bits), so a plain SHA-256 of it is as good as a slow hash: there is nothing to guess.
"""

import contextlib
import fcntl
import hashlib
import hmac
import json
import os
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from index.errors import YuntuError

Scope = Literal["ask", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
GRACE_S = 24 * 3600.0  # after a rotation the old key is good for so long
_PREFIX = "yt_"
_NAME = re.compile(r"[\w.@-]{1,64}")


class KeysUnreadable(YuntuError):
    """The file of keys cannot be read or written."""

    code = "keys_unreadable"


class NoSuchKey(YuntuError):
    """A key's name is not in the file, or is there already."""

    code = "no_such_key"


@dataclass(frozen=True, slots=True)
class Key:
    """One key, without the key."""

    name: str
    scope: Scope
    digest: str  # SHA-256 of the key, hexadecimal
    made: float  # seconds since 1970
    ends: float | None = None  # after a rotation: when the old one stops working

    def allows(self, scope: Scope) -> bool:
        """Whether it is good for `scope`; who administers may also ask."""
        return self.scope in (scope, "admin")


class Keys:
    """The keys of one file. Read again whenever the file changes: a revoked key stops working at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, ...] | None = None
        self._keys: tuple[Key, ...] = ()

    def all(self) -> tuple[Key, ...]:
        """Every key that still works. Raises: KeysUnreadable."""
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return ()
        except OSError as e:
            raise self._unreadable(e) from e
        seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if seen != self._seen:
            self._keys = self._read()
            self._seen = seen
        return tuple(k for k in self._keys if k.ends is None or k.ends > time.time())

    def find(self, secret: str) -> Key | None:
        """The key that `secret` is, compared in constant time."""
        digest, found = digest_of(secret), None
        for key in self.all():
            if hmac.compare_digest(key.digest, digest):
                found = key
        return found

    def add(self, name: str, scope: Scope) -> str:
        """Makes a key and returns it: the only time it is seen. Raises: NoSuchKey when the name is taken."""
        if _NAME.fullmatch(name) is None:
            raise NoSuchKey(f"名字 {name!r} 不行 (bad name)。", "用 1 到 64 个字母、数字、汉字或 . @ - _")
        secret = _PREFIX + secrets.token_urlsafe(32)
        with self._changing() as keys:
            if any(k.name == name for k in keys):
                raise NoSuchKey(f"已有钥匙 {name} (name is taken)。", f"换一把: yuntu keys rotate {name}")
            keys.append(Key(name, scope, digest_of(secret), time.time()))
        return secret

    def rotate(self, name: str, grace_s: float = GRACE_S) -> str:
        """A new key under the same name; the old one works for `grace_s` more. Raises: NoSuchKey."""
        secret = _PREFIX + secrets.token_urlsafe(32)
        with self._changing() as keys:
            old = self._named(keys, name)
            now = time.time()
            keys[:] = [
                replace(k, ends=min(k.ends or now + grace_s, now + grace_s)) if k.name == name else k for k in keys
            ]
            keys.append(Key(name, old[-1].scope, digest_of(secret), now))
        return secret

    def revoke(self, name: str) -> None:
        """Its keys stop working. Raises: NoSuchKey."""
        with self._changing() as keys:
            self._named(keys, name)
            keys[:] = [k for k in keys if k.name != name]

    @staticmethod
    def _named(keys: Sequence[Key], name: str) -> list[Key]:
        found = [k for k in keys if k.name == name]
        if not found:
            raise NoSuchKey(f"没有钥匙 {name} (no such key)。", "yuntu keys list 列出全部")
        return found

    def _read(self) -> tuple[Key, ...]:
        try:
            rows: list[dict[str, Any]] = json.loads(self._path.read_text(encoding="utf-8"))["keys"]
            keys = tuple(Key(**row) for row in rows)
            if not all(map(_is_sound, keys)):
                raise ValueError("a field")
        except OSError as e:
            raise self._unreadable(e) from e
        except (ValueError, TypeError, KeyError, RecursionError) as e:
            raise KeysUnreadable(
                f"钥匙文件 {self._path} 坏了 (damaged)。", "从备份恢复,或删掉它再用 yuntu keys add 重建"
            ) from e
        return keys

    @contextlib.contextmanager
    def _changing(self) -> Iterator[list[Key]]:
        """The keys, to be changed in place; one writer at a time, and whoever reads sees the old file or the new."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.with_suffix(".lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                keys = list(self.all())
                yield keys
                self._write(keys)
        except OSError as e:
            raise self._unreadable(e) from e

    def _write(self, keys: Sequence[Key]) -> None:
        temporary = self._path.with_suffix(".new")
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()  # left by a writer that was killed
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as f:
            json.dump({"keys": [asdict(k) for k in keys]}, f, ensure_ascii=False, indent=1)
            f.flush()
            os.fsync(f.fileno())
        temporary.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # or a power cut brings a revoked key back
        finally:
            os.close(folder)

    def _unreadable(self, error: OSError) -> KeysUnreadable:
        return KeysUnreadable(
            f"钥匙文件 {self._path} 读写不了: {error.strerror or error}。", "请检查权限和磁盘 (check permissions, disk)"
        )


def _is_sound(key: Key) -> bool:
    """Whether the fields hold what they say: somebody may have edited the file."""
    return (
        isinstance(key.name, str)
        and key.scope in SCOPES
        and re.fullmatch("[0-9a-f]{64}", key.digest) is not None
        and isinstance(key.made, float | int)
        and isinstance(key.ends, float | int | None)
    )


def digest_of(secret: str) -> str:
    """What the file holds of a key."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
