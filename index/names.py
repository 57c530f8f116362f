"""Names a corpus itself says are one: 星澜云（Xinglan Cloud）, Xinglan Cloud (星澜云), 墨舟科技（以下简称墨舟）.

Where a Chinese name begins before its bracket is told by the corpus: the longest ending that also stands elsewhere.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from index.bilingual import is_common
from index.data import lexicon
from index.fold import fold_text
from index.grammar import is_measure, tagged_words, word_set
from index.pinyin import spelt
from index.tokenize import word_frequency
from index.values import Document

WHOLE = 6  # characters of a stretch that may be a name as it stands
SHORTEST = 4  # letters of a Latin name's first word that stands for it
LONGEST = 10  # characters of a Chinese name
LONGEST_QUOTED = 12  # … in quotation marks
_LATIN = r"[A-Z][A-Za-z0-9.&'’\-]{0,40}(?: [A-Z0-9][A-Za-z0-9.&'’\-]{0,40}){0,4}"
_HAN_LATIN = re.compile(
    rf"(?P<han>[\u4e00-\u9fff·]{{2,24}}(?:[0-9][0-9.]*)?)[”」』》]?\s?[（(](?P<other>{_LATIN})[)）]"
)
_LATIN_HAN = re.compile(rf"(?P<other>{_LATIN})\s?[（(](?P<han>[\u4e00-\u9fff·]{{2,12}}(?:[0-9][0-9.]*)?)[)）]")
_SHORT = re.compile(
    r"(?P<han>[\u4e00-\u9fff]{2,24})[（(](?:以下|下)?(?:简称|简称为|又称|又名|原名)[“「\"']?"
    r"(?P<other>[\u4e00-\u9fff]{2,8})[”」\"']?[)）]"
)
_QUOTED = re.compile(rf"[“「『《](?P<name>[^“”「」『』《》]{{2,{LONGEST_QUOTED}}})$")
_VERSION = re.compile(r"[\s\-]?\d[\d.]*$")


def names_in(documents: Iterable[Document]) -> tuple[tuple[str, ...], ...]:
    """Groups of names that mean the same, folded, each in the order they were met; sorted, without repeats."""
    texts = [d.text for d in documents]
    met = _endings_met(texts)
    groups: dict[str, list[str]] = {}  # by each of its names
    for text in texts:
        for pair in _pairs(text, met):
            group = next((groups[n] for n in pair if n in groups), [])
            group += [n for n in pair if n not in group]
            for name in pair:
                groups.setdefault(name, group)
    known = {tuple(g) for g in groups.values()}
    opened = Counter(first for group in known for first in {n.split()[0] for n in group})
    return tuple(sorted((*group, *_shortened(group, opened)) for group in known))


def _shortened(group: tuple[str, ...], opened: Mapping[str, int]) -> list[str]:
    """What a Latin name is called by its first word alone: Yuheng for Yuheng Cloud, if no other name opens with it.

    Args:
        opened: in how many groups a name opens with a word.
    """
    firsts = dict.fromkeys(n.split()[0] for n in group if " " in n and n.isascii())
    return [f for f in firsts if len(f) >= SHORTEST and f not in group and not is_common(f) and opened[f] == 1]


def _pairs(text: str, met: Counter[str]) -> Iterator[tuple[str, str]]:
    for m in _bracketed(text):
        quoted = _QUOTED.search(text, max(0, m.end("han") - LONGEST_QUOTED - 1), m.end("han"))
        other = fold_text(m.group("other"))
        han = fold_text(quoted.group("name")) if quoted else _begun(fold_text(m.group("han")), other, met)
        yield from _plain(han, other)
    for m in _LATIN_HAN.finditer(text):
        yield from _plain(fold_text(m.group("han")), fold_text(m.group("other")))


def _bracketed(text: str) -> Iterator[re.Match[str]]:
    yield from _HAN_LATIN.finditer(text)
    yield from _SHORT.finditer(text)


def _endings_met(texts: Sequence[str]) -> Counter[str]:
    """How often the texts hold each ending of what stands before a bracket; in one pass, however many brackets."""
    befores = {fold_text(m.group("han")) for text in texts for m in _bracketed(text)}
    endings = {before[-n:] for before in befores for n in range(2, LONGEST + 2)}
    tails = {before[-2:] for before in befores}
    met: Counter[str] = Counter()
    for text in map(fold_text, texts):
        for end in range(2, len(text) + 1):
            if text[end - 2 : end] in tails:
                met.update(e for n in range(2, min(end, LONGEST + 1) + 1) if (e := text[end - n : end]) in endings)
    return met


def _plain(han: str | None, other: str) -> Iterator[tuple[str, str]]:
    """A pair, if both are names; without the version that both end with."""
    han = han.rsplit("的", 1)[-1] if han else None
    if (
        not han
        or is_measure(han)
        or _describes(han)
        or other in lexicon("index", "figures")["names"]["generic"]
        or len(other) < 2
    ):
        return
    if (a := _VERSION.search(han)) and (b := _VERSION.search(other)) and a.group().strip(" -") == b.group().strip(" -"):
        han, other = han[: a.start()], other[: b.start()]
    if len(re.sub(r"[^\u4e00-\u9fff]", "", han)) > 1:
        yield han, other


def _begun(before: str, other: str, met: Counter[str]) -> str | None:
    """The name that ends a stretch of Chinese.

    It begins where it sounds like the other name, else it is the longest ending that also stands elsewhere, else its
    last word that no dictionary has, with what follows.
    """
    first = re.sub(r"[^a-z]", "", re.split(r"[\s\-]", other)[0])
    for start in range(max(0, len(before) - LONGEST), len(before) - 1):
        if first and any(spelt(before[start : start + n]) == first for n in range(1, 5)):
            return before[start:]
    for start in range(max(0, len(before) - LONGEST), len(before) - 1):
        ending = before[start:]
        longer = met[before[start - 1 :]] if start else 0
        if met[ending] > max(1, longer) and not word_frequency(ending) and _opens(ending):
            return ending
    for start in range(max(0, len(before) - LONGEST), len(before) - 1):  # Weiking: 维 …
        if len(sound := spelt(before[start])) > 1 and first.startswith(sound) and _opens(before[start:]):
            return before[start:]
    tokens = tagged_words(before)
    if len(before) <= WHOLE and all(tag[0] in "nvja" for _, tag in tokens) and tokens[-1][1][0] != "a":
        return before  # nothing but the name stands between two marks: ，尺度研究（Yardstick Research）
    at = next((n for n in range(len(tokens) - 1, -1, -1) if tokens[n][1] in ("nz", "nt", "nr")), None)
    return "".join(w for w, _ in tokens[at:]) if at is not None else None


def _describes(han: str) -> bool:
    """Whether a stretch says what a thing does or is, and names nobody: 图像创作, 出行服务平台."""
    tokens = tagged_words(han)
    named = any(tag in ("nz", "nt", "nr") for _, tag in tokens)
    return not named and (tokens[-1][1][0] == "v" or tokens[-1][0] in word_set("kinds"))


def _opens(ending: str) -> bool:
    """Whether a name can open with its first word: no particle, preposition or kind of thing."""
    word, tag = tagged_words(ending)[0]
    return tag[0] not in "pcudrmqy" and word not in word_set("kinds") | word_set("organisations")
