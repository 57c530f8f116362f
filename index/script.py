"""Which language and script a text is in, told from its characters."""

import re

from index.fold import to_simplified, to_traditional

CJK = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
LATIN_WORD = re.compile(r"[A-Za-z]{2,}")


def language_of(text: str) -> str:
    """`zh-Hans`, `zh-Hant` or `en`.

    Chinese when there is any real share of Chinese characters (product names in Latin letters do not make a text
    English); traditional when more characters would change under traditional → simplified than the other way
    round. A text with no telling character (“你好”) is taken as simplified.
    """
    characters = "".join(CJK.findall(text))
    if len(characters) < len(LATIN_WORD.findall(text)) / 2 or not characters:
        return "en" if LATIN_WORD.search(text) else "zh-Hans"
    traditional = sum(a != b for a, b in zip(characters, to_simplified(characters), strict=True))
    other = to_traditional(characters)
    simplified = sum(a != b for a, b in zip(characters, other, strict=False))
    return "zh-Hant" if traditional > simplified else "zh-Hans"
