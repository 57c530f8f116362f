"""Everything the person at the keyboard can fix. One tree; `web/` alone turns it into exit codes and HTTP statuses.

YuntuError
├─ BadSettings         a YUNTU_ variable is misspelt or out of range
├─ CorpusUnreadable    nothing to index, or --strict and something could not be read
├─ IndexMissing        no index where one was looked for
├─ IndexDamaged        a file of the snapshot is not what was written
├─ IndexUnverified     a large index is still being hashed
├─ IndexMismatch       built with another encoder, tokenizer or snapshot format
├─ IndexBusy           another rebuild is writing
├─ IndexUnwritable     the folder of the index takes no new version: disk, permissions or memory
├─ StoreUnavailable    the Milvus that searches does not answer
├─ StoreRefused        … or not to us
├─ StoreUnfit          … or cannot do what is asked of it, or holds something else than was written
├─ LexiconFaulty       an editable word file cannot be read, or contradicts itself
├─ EncoderUnavailable  the encoder's weights are missing, damaged or of an unknown format
├─ ReaderUnavailable   the reader's weights are missing, damaged or of another version
├─ EngineUnavailable   what was to spread the work is not installed, not reached, or has no room
├─ WorkersDiffer       a machine that was to help would make other vectors or passages
├─ WorkersFailed       the same work ended too many workers
├─ FetchFailed         a web address cannot be got, or must not be
├─ CannotAdd           a page or file cannot come into the corpus folder, or out of it
├─ BadQuestion         empty or too long
└─ DocumentMissing     no document with that id
"""

import errno
from pathlib import Path


class YuntuError(Exception):
    """The person at the keyboard can fix this. `code` is part of the JSON contract, `hint` says how."""

    code = "yuntu_error"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class BadSettings(YuntuError):
    """A YUNTU_ variable is misspelt or out of range."""

    code = "bad_settings"


class CorpusUnreadable(YuntuError):
    """There is nothing to index, or `--strict` was asked for and a file could not be read."""

    code = "corpus_unreadable"


class LexiconFaulty(YuntuError):
    """An editable word file cannot be read or contradicts itself."""

    code = "lexicon_faulty"

    def __init__(self, count: int) -> None:
        super().__init__(
            f"词表有 {count} 处不对 (problems in the word files)。", "照上面各行改好,再运行: yuntu lexicon check"
        )


class IndexMissing(YuntuError):
    """No index where one was looked for."""

    code = "index_missing"

    def __init__(self, where: Path | str) -> None:
        super().__init__(f"{where} 里没有索引 (no index there)。", "请先运行: yuntu rebuild")


class IndexDamaged(YuntuError):
    """A file of the snapshot is missing or not what was written."""

    code = "index_damaged"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"索引已损坏 (index damaged): {what}。", "请运行: yuntu rebuild --full,或用 yuntu index rollback 换回旧版本"
        )


class IndexUnverified(YuntuError):
    """The files of a large index are still being hashed; it answers meanwhile."""

    code = "index_unverified"

    def __init__(self, version: str) -> None:
        super().__init__(f"索引 {version} 还在校验 (still being verified)。", "请过一会儿再看")


class IndexMismatch(YuntuError):
    """The index was built with another encoder, tokenizer or snapshot format than the one in use."""

    code = "index_mismatch"


class IndexBusy(YuntuError):
    """Another rebuild holds the index folder."""

    code = "index_busy"


class IndexUnwritable(YuntuError):
    """A version could not be written; what was there is as it was, unless `left` says otherwise."""

    code = "index_unwritable"

    def __init__(self, root: Path, why: BaseException, left: str = "旧索引没有变 (the old index is untouched)") -> None:
        number = errno.ENOMEM if isinstance(why, MemoryError) else getattr(why, "errno", None)
        what, to_do = _WHEN_UNWRITABLE.get(number, ("", "请检查那个文件夹,再运行: yuntu rebuild"))
        said = getattr(why, "strerror", None) or getattr(why, "message", None) or str(why) or type(why).__name__
        super().__init__(f"写不进 {root} (cannot write): {what}{said}。", f"{to_do}。{left}")


_FULL = ("磁盘满了: ", "请腾出空间,再运行: yuntu rebuild")
_READ_ONLY = ("文件夹只能读: ", "请改权限,或用 --index 换一个文件夹")
_WHEN_UNWRITABLE: dict[int | None, tuple[str, str]] = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EROFS: _READ_ONLY,
    errno.EACCES: _READ_ONLY,
    errno.EPERM: _READ_ONLY,
    errno.EIO: ("磁盘读写出错: ", "请检查磁盘,再运行: yuntu rebuild"),
    errno.ENOMEM: ("内存不够: ", "请关掉别的程序,再运行: yuntu rebuild"),
}


class StoreUnavailable(YuntuError):
    """The store does not answer. It is asked again by itself."""

    code = "store_unavailable"

    def __init__(self, address: str, why: str = "") -> None:
        super().__init__(
            f"存储 {address} 没有回应 (the store does not answer){f': {why}' if why else ''}。",
            "检查地址和那边的服务;恢复之后自动接上,不用重启 (it goes on by itself)",
        )


class StoreRefused(YuntuError):
    """The store wants other credentials."""

    code = "store_refused"

    def __init__(self, address: str) -> None:
        super().__init__(
            f"存储 {address} 不认这个身份 (the store refuses these credentials)。", "设 YUNTU_STORE_TOKEN=用户名:密码"
        )


class StoreUnfit(YuntuError):
    """The store cannot do what is asked of it, or holds something else than was written."""

    code = "store_unfit"


class EncoderUnavailable(YuntuError):
    """The encoder cannot be loaded: its weights are missing, damaged or of an unknown format."""

    code = "encoder_unavailable"


class ReaderUnavailable(YuntuError):
    """The reader cannot be loaded: its weights are missing, damaged or for another backbone."""

    code = "reader_unavailable"


class EngineUnavailable(YuntuError):
    """What was to spread the work of a rebuild is not installed, cannot be reached or has no room for a worker."""

    code = "engine_unavailable"


class WorkersDiffer(YuntuError):
    """A machine that was to help has other code, another encoder or computes otherwise; nothing of it was used."""

    code = "workers_differ"


class WorkersFailed(YuntuError):
    """The same work ended several workers, one after the other: out of memory, or crashing."""

    code = "workers_failed"


class FetchFailed(YuntuError):
    """A web address cannot be got, or must not be."""

    code = "fetch_failed"

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"取不到 {url}: {why}。")


class CannotAdd(YuntuError):
    """A page or file cannot come into the corpus folder, or out of it."""

    code = "cannot_add"

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what}: {why}。")


class BadQuestion(YuntuError):
    """The question is empty or too long."""

    code = "bad_question"


class DocumentMissing(YuntuError):
    """No document with that id."""

    code = "document_missing"

    def __init__(self, doc_id: str) -> None:
        super().__init__(
            f"索引里没有文档 {doc_id!r} (no such document)。", "yuntu audit 或 GET /api/documents 列出全部文档"
        )
