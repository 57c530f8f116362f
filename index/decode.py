"""Bytes → text: UTF-8, else the encoding whose reading has the more everyday characters."""

import codecs
from functools import cache

import charset_normalizer


def decode(raw: bytes) -> tuple[str, str]:
    """The text of `raw` and the name of its encoding: UTF-8, else what a detector finds.

    UTF-8's byte order mark stays in the text as its first character, so that offsets count what a plain reading gives.

    Raises: ValueError when the bytes are no text (NUL bytes, no encoding fits).
    """
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16"), "utf-16"
    if b"\0" in raw:
        raise ValueError("不是文本文件 (binary)")
    try:
        return raw.decode("utf-8"), "utf-8 (BOM)" if raw.startswith(codecs.BOM_UTF8) else "utf-8"
    except UnicodeDecodeError:
        pass
    candidates = []
    for encoding in ("gb18030", "big5hkscs"):
        try:
            candidates.append((raw.decode(encoding), encoding))
        except UnicodeDecodeError:
            continue
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        # Both fit: the right reading is the one with more everyday characters (the wrong one gives rare ones).
        return max(candidates, key=lambda c: everyday_share(c[0]))
    best = charset_normalizer.from_bytes(raw).best()
    if best is None:
        raise ValueError("认不出编码 (unknown encoding)")
    return str(best), best.encoding


def everyday_share(text: str) -> float:
    """Share of the non-ASCII characters that are everyday ones."""
    others = [c for c in text if ord(c) > 127]
    return sum(map(is_everyday, others)) / max(1, len(others))


@cache
def everyday() -> frozenset[str]:
    """The characters of GB2312's and Big5's first, frequent levels, and their marks."""
    found = set()
    for code in range(0x80, 0xFFE6):
        char = chr(code)
        gb, big5 = char.encode("gb2312", "ignore"), char.encode("big5", "ignore")
        if b"\xa1" <= gb[:1] <= b"\xd7" or b"\xa1" <= big5[:1] <= b"\xc6":
            found.add(char)
    return frozenset(found)


def is_everyday(char: str) -> bool:
    """Whether a character is one of them, or ASCII."""
    return char.isascii() or char in everyday()
