"""Office files and EPUBs are ZIP archives: how far one may swell is checked before anything is unpacked."""

import io
import zipfile

MAX_UNPACKED = 200_000_000  # bytes
MAX_ENTRIES = 20_000
MAX_RATIO = 300  # of one entry beyond 1 MB; text packs 3-20 times, drawings in XML up to a hundred


def checked_zip(raw: bytes) -> zipfile.ZipFile:
    """The archive in `raw`. Raises: ValueError when it is no archive, locked, or a bomb."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(raw))
    except (zipfile.BadZipFile, ValueError, RuntimeError) as e:  # the last: a version it does not know
        if raw[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":  # Microsoft's older container, also of encrypted files
            raise ValueError(
                "加密的或旧格式的 Office 文件 (encrypted or of an old format): 请另存为不加密的新格式"
            ) from e
        raise ValueError(f"压缩包已损坏 (damaged archive): {e}") from e
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES or sum(e.file_size for e in entries) > MAX_UNPACKED:
        raise ValueError("解压后太大,像是压缩炸弹 (unpacks to far too much)")
    if any(e.file_size > 1_000_000 and e.file_size > MAX_RATIO * max(1, e.compress_size) for e in entries):
        raise ValueError("压缩比不合常理,像是压缩炸弹 (compressed beyond reason)")
    if any(e.flag_bits & 1 for e in entries):
        raise ValueError("加密的文件 (encrypted): 请先去掉密码")
    return archive
