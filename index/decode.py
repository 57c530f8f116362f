"""Bytes → text: UTF-8, else the encoding whose reading has the more everyday characters."""

import codecs
import contextlib
from functools import cache

import charset_normalizer

PLAIN = 0.7  # share of everyday characters under which a reading is the wrong one
MOST_BREAKS = 50  # more are not worth the care
AHEAD = 60  # bytes
MOST_LOST = 0.01  # of the characters


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
        with contextlib.suppress(UnicodeDecodeError):
            candidates.append((raw.decode(encoding), encoding))
    if candidates:
        # Of what fits, the right reading is the one with more everyday characters (the wrong one gives rare ones).
        best = max(candidates, key=lambda c: everyday_share(c[0]))
        if everyday_share(best[0]) >= PLAIN:
            return best
    # Nothing fits as a whole: a byte or two are broken. The plainest reading, if few characters are lost.
    mended = [(_around_breaks(raw, encoding), encoding) for encoding in ("utf-8", "gb18030", "big5hkscs")]
    text, encoding = max(mended, key=lambda c: everyday_share(c[0]))
    lost = text.count("\ufffd")
    if everyday_share(text) >= PLAIN and lost <= max(3, MOST_LOST * len(text)):
        return text, f"{encoding} (坏了 {lost} 处, damaged)"
    found = charset_normalizer.from_bytes(raw).best()
    if found is None:
        raise ValueError("认不出编码 (unknown encoding)")
    return str(found), found.encoding


def _around_breaks(raw: bytes, encoding: str) -> str:
    """The text with U+FFFD where bytes are broken, taken up again where the bytes behind read the plainer."""
    pieces: list[str] = []
    at = 0
    while len(pieces) < 2 * MOST_BREAKS:
        try:
            return "".join([*pieces, raw[at:].decode(encoding)])
        except UnicodeDecodeError as e:
            broken = at + e.start
            pieces += [raw[at:broken].decode(encoding), "\ufffd"]
            skips = range(1, 4)
            at = broken + max(
                skips, key=lambda n: everyday_share(raw[broken + n : broken + n + AHEAD].decode(encoding, "replace"))
            )
    return "".join([*pieces, raw[at:].decode(encoding, "replace")])


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
