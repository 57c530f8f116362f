"""The cleaning rule `instruction`: sentences of a document that address a machine reading it, not people.

Nothing here obeys a document; the rule keeps such sentences from standing in an answer as if they were said of the
subject. It is precise rather than complete: who writes about instructions quotes them, and what is quoted stays.
"""

import re
from collections.abc import Iterator
from functools import cache

from index.aligned import Edit
from index.fold import fold_text
from index.lines import cleaning_words
from index.lookalikes import as_latin

_AT = r"(?:^|[,;:!?。、>*#\-\]】)]|\. )\s*"  # where a clause begins, in folded text
_SENTENCE = re.compile(r"[^。！？!?；;\n]*?(?:[。！？!?；;]+[”’」』\"')）]*|\.(?=\s)|\n|$)")
_QUOTED = re.compile(r"“[^”]*”|‘[^’]*’|「[^」]*」|『[^』]*』|《[^》]*》|`[^`]*`|(?<![\w\"])\"[^\"]*\"")
_WHOLLY_QUOTED = re.compile(r"[“‘「『\"'`](.*)[”’」』\"'`][。.!?]?", re.DOTALL)
_BLANK_IN_CHINESE = re.compile(r"(?<=[\u3400-\u9fff])\s+(?=[\u3400-\u9fff])")
LONGEST = 600  # characters of a sentence that are looked at


def instructions(text: str) -> Iterator[Edit]:
    """Sentences addressed to a machine, and blocks between the marks of a chat template."""
    for m in _blocks().finditer(text) if "<" in text or "[" in text else ():
        yield Edit(m.start(), m.end(), "instruction")
    start = 0
    for line in text.splitlines(keepends=True):
        for m in _SENTENCE.finditer(line):
            if m.end() - m.start() > 3 and is_instruction(m.group()):
                yield Edit(start + m.start(), start + m.end(), "instruction")
        start += len(line)


def is_instruction(sentence: str) -> bool:
    """Whether a sentence addresses a machine that reads it."""
    folded = _BLANK_IN_CHINESE.sub("", fold_text(as_latin(sentence[:LONGEST])).strip())
    if whole := _WHOLLY_QUOTED.fullmatch(folded):
        folded = whole.group(1)
    bare = _QUOTED.sub(lambda m: "“”", folded)
    return _pattern().search(bare) is not None and _about().search(bare) is None


@cache
def _pattern() -> re.Pattern[str]:
    return re.compile(
        "|".join(f"(?:{p.replace('{at}', _AT)})" for p in cleaning_words()["instruction"]["sentences"].values())
    )


@cache
def _about() -> re.Pattern[str]:
    return re.compile(cleaning_words()["instruction"]["about"])


@cache
def _blocks() -> re.Pattern[str]:
    return re.compile(cleaning_words()["instruction"]["blocks"], re.IGNORECASE | re.DOTALL | re.MULTILINE)
