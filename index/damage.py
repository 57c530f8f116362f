"""Characters that were decoded wrongly: mended where it can be proven, marked as damaged where not.

Mended: UTF-8 or GBK read as a Western encoding (ftfy), UTF-8 read as GBK, and GBK that lost a byte and reads one byte
off. What is left of such damage is never the place a figure is taken from (index/figures.py).
"""

import re
from collections.abc import Iterator
from functools import cache

import ftfy

from index.aligned import Edit
from index.decode import is_everyday
from index.fold import to_simplified
from index.tokenize import word_frequency, words

_HAN = "\u3400-\u9fff\uf900-\ufaff"
_LATIN_RUN = re.compile(r"[\u0080-\u00ff\u0152-\u0192\u02c6\u02dc\u2013-\u2122]{2,400}")
_FOREIGN_RUN = re.compile(r"[^\x00-\x7f\s]{3,2000}")
_OFF_RUN = re.compile(rf"(?:(?<=\?)[;!\uff01-\uff5e])?[{_HAN}\ue000-\uf8ff]{{3,400}}(?:[@-~](?=[{_HAN}]))?")
_PRIVATE = re.compile("[\ue000-\uf8ff\ufffd]")
_LOST = re.compile(
    rf"锟斤拷(?:[锟斤拷]*)|烫烫烫+|屯屯屯+|[\ue000-\uf8ff\ufffd]+"
    rf"|(?<=[{_HAN}])[?][;!]?[{_HAN}]{{1,3}}[a-z](?=[{_HAN}])|(?<=[{_HAN}])[?][;!](?=[{_HAN}])"
)
MIN_PROVEN = 3  # characters that stand elsewhere in the text as well
MIN_ALONE = 6  # characters whose plain reading is proof enough


def repairs(text: str) -> Iterator[Edit]:
    """What can be mended for certain."""
    if text.isascii():
        return
    for m in _LATIN_RUN.finditer(text):
        if (mended := _from_latin(m.group())) is not None:
            yield Edit(m.start(), m.end(), "mojibake", mended)
    for m in _FOREIGN_RUN.finditer(text):
        if _is_odd(m.group()) and (found := _utf8_read_as_gbk(m.group())) is not None:
            taken, mended = found
            yield Edit(m.start(), m.start() + taken, "mojibake", mended)
    simplified = ""
    for m in _OFF_RUN.finditer(text):
        if _PRIVATE.search(m.group()) or _is_odd(m.group()):
            simplified = simplified or to_simplified(text)
            if (found := _one_byte_off(m.group(), simplified)) is not None:
                taken, mended = found
                yield Edit(m.start(), m.start() + taken, "misaligned", mended)


def damaged(text: str) -> Iterator[tuple[int, int]]:
    """Stretches of `text` in which characters were lost or read wrongly and nothing proves what they were."""
    end = 0
    for m in _LOST.finditer(text):
        start, stop = m.start(), m.end()
        if m.group() in ("?!", "?;") and not _rare(text[stop]):
            continue  # somebody is astonished
        while start > end and _rare(text[start - 1]):
            start -= 1
        while stop < len(text) and (_rare(text[stop]) or _PRIVATE.match(text[stop])):
            stop += 1
        if start >= end:
            yield start, stop
            end = stop
    for m in re.finditer(rf"[{_HAN}]{{4,400}}", text):
        if m.start() >= end and len(m.group()) >= MIN_ALONE and _is_odd(m.group()) and not _has_rare_word(m.group()):
            yield m.start(), m.end()


@cache
def _plain() -> frozenset[str]:
    """The Chinese characters that are, in simplified form, among GB2312's frequent level."""
    every = [chr(code) for code in range(0x3400, 0xA000)]
    simplified = to_simplified("\n".join(every)).split("\n")
    return frozenset(
        c for c, s in zip(every, simplified, strict=True) if b"\xb0" <= s.encode("gb2312", "ignore")[:1] <= b"\xd7"
    )


def _is_plain(text: str) -> bool:
    """Whether a reading is one that people write: frequent characters, and marks."""
    return all(c in _plain() or not "\u3400" <= c <= "\u9fff" for c in text) and all(map(is_everyday, text))


def _rare(char: str) -> bool:
    return "\u3400" <= char <= "\u9fff" and char not in _plain()


def _is_odd(run: str) -> bool:
    """Whether a run of Chinese characters is made of ones that nobody writes next to each other."""
    rare = sum(c not in _plain() for c in run if "\u3400" <= c <= "\u9fff")
    return rare >= 2 and rare * 5 >= 2 * len(run)


def _has_rare_word(run: str) -> bool:
    """Whether the dictionary knows one of its rare words (狒狒, 玳瑁): then it is learned, not damaged."""
    return any(len(w) > 1 and any(map(_rare, w)) and word_frequency(w) for w in words(to_simplified(run)))


def _from_latin(run: str) -> str | None:
    for western in ("latin-1", "cp1252") if len(run) >= 4 else ():
        try:
            chinese = run.encode(western).decode("gb18030")
        except (UnicodeEncodeError, UnicodeDecodeError):
            continue
        if _is_plain(chinese):
            return chinese
    mended = ftfy.fix_encoding(run)
    return mended if mended != run and "\ufffd" not in mended else None


def _utf8_read_as_gbk(run: str) -> tuple[int, str] | None:
    """How many characters of the run are UTF-8 bytes in disguise, and what they say."""
    try:
        raw = run.encode("gb18030")
    except UnicodeEncodeError:
        return None
    taken = len(run)
    while taken > 2:
        part = run[:taken].encode("gb18030")
        try:
            mended = part.decode("utf-8")
        except UnicodeDecodeError as e:
            taken = min(taken - 1, len(raw[: e.start].decode("gb18030", "ignore")))
            continue
        return (taken, mended) if len(mended) >= 2 and _is_plain(mended) else None
    return None


def _one_byte_off(run: str, text: str) -> tuple[int, str] | None:
    """How many characters of the run are GBK read one byte off, and what they say.

    Proof: a longer stretch that reads plainly, or a shorter one that the text writes elsewhere as well.
    """
    wide = "".join(chr(ord(c) + 0xFEE0) if c in ";!" else c for c in run)
    try:
        raw = wide.encode("gb18030")
    except UnicodeEncodeError:
        return None
    mended = ""
    for n in range(1, len(raw) - 1, 2):  # a letter at the end can be the second byte of a character
        try:
            char = raw[n : n + 2].decode("gb18030")
        except UnicodeDecodeError:
            break
        if not _is_plain(char):
            break
        mended += char
    while len(mended) >= MIN_PROVEN:
        if to_simplified(mended) in text or (len(mended) >= MIN_ALONE and len(mended) >= len(wide) - 2):
            return min(len(run), len(mended) + 1), mended
        mended = mended[:-1]
    return None
