"""Time grows with the length of a text and not with its square, whatever it is made of; and a question is soon read."""

import re
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

import pytest

from index.aligned import Aligned
from index.attribution import source_of
from index.clean import clean
from index.data import lexicon
from index.dates import dates_in
from index.figures import figures_of
from index.fold import fold, fold_text
from index.formats.tables import row_key
from index.names import names_in
from index.periods import periods_in
from index.quantities import quantities_in
from index.script import language_of
from index.split import split
from index.tokenize import tokenize
from index.values import Document, Figure
from rag.claims import claim_in
from rag.several import parts_of
from rag.spelling import LONGEST_TEXT
from rag.understand import understand
from tests.fuzz.nasty import UNITS, repeated

pytestmark = pytest.mark.alone

LONG = {False: 6_000, True: 20_000}  # characters; with --soak and without, and a quarter of it
MOST = 8.0  # times as long for four times the text: the square would be sixteen
TOO_SHORT_S = 0.08  # what takes less says nothing of how it grows
SLOW_S = 8.0  # for the longer text
LONGEST_QUESTION = 2000
QUESTION_S = 1.0
HUGE = {False: 40_000, True: 100_000}
HUGE_S = 30.0  # 50,000 lines of one character, or marks mended one by one, take 22 s
PATTERN_S = 0.3  # for one expression over a stretch of a few hundred characters
ROOT = Path(__file__).parents[2]


def document(text: str) -> Document:
    return Document("d", "星澜云财报", text, published="2025-03-01", lang="zh-Hans")


def figures(text: str) -> list[Figure]:
    d = document(text)
    passages = split(d, Aligned.of(text), max_chars=350)
    return figures_of(d, [s for p in passages for s in p.sentences])


def read_whole(text: str) -> list[Figure]:
    d, cleaned = document(text), clean(text)
    passages = split(d, cleaned.readable, max_chars=350)
    return figures_of(d, [s for p in passages for s in p.sentences], cleaned.damaged)


STAGES: dict[str, Callable[[str], Any]] = {
    "clean": clean,
    "split": lambda text: split(document(text), Aligned.of(text), max_chars=350),
    "fold": fold,
    "quantities": lambda text: quantities_in(fold_text(text)),
    "dates": lambda text: dates_in(fold_text(text), published="2025-03-01", reported="2024Q1"),
    "periods": lambda text: periods_in(fold_text(text)),
    "tokenize": lambda text: tokenize(fold_text(text)),
    "names": lambda text: names_in([document(text)]),
    "figures": figures,
    "source": lambda text: source_of(fold_text(text)),
}
# those that went back over a text before they were mended, and one of each kind; all of UNITS take minutes
WORST = ("2024年", "3月", "12.5%、", "1元", "百", "一分之", "3D", "的", "（）。", "# 甲", "甲\u2028", "|a|", "——")


@pytest.fixture(scope="module", autouse=True)
def warmed_up() -> None:
    """Dictionaries are read once."""
    read_whole("星澜云2024年营收1亿元，同比增长两成。\n" * 10)
    understand("星澜云的份额是多少？")


def seconds(stage: Callable[[str], Any], text: str, tries: int = 1) -> float:
    """Of the processor, the quickest of some tries: the machine has other work."""
    taken = []
    for _ in range(tries):
        start = time.process_time()
        stage(text)
        taken.append(time.process_time() - start)
    return min(taken)


def _grows_too_fast(stage: Callable[[str], Any], unit: str, length: int, tries: int) -> bool:
    long = seconds(stage, repeated(unit, length), tries)
    if long < TOO_SHORT_S:
        return False
    return long > SLOW_S or long > MOST * max(seconds(stage, repeated(unit, length // 4), tries), TOO_SHORT_S / MOST)


@pytest.mark.parametrize("name", STAGES)
def test_no_stage_takes_longer_than_a_text_is_long(name: str, soak: bool) -> None:
    stage = STAGES[name]
    units = dict.fromkeys((*WORST, *Random(24).sample(UNITS, 100))) if soak else WORST
    slow = [u for u in units if _grows_too_fast(stage, u, LONG[soak], 1) and _grows_too_fast(stage, u, LONG[soak], 3)]
    assert not slow


def test_no_heading_table_or_list_takes_longer_than_it_is_long(soak: bool) -> None:
    openings = ("# ", "- ", "| ", "---\na: ", "据《", "（", "“", "其中，", "2024年，")
    for opening in openings if soak else openings[:3]:
        for unit in WORST if soak else WORST[:4]:
            text = opening + repeated(unit, LONG[soak])
            assert seconds(read_whole, text) < SLOW_S or seconds(read_whole, text, 2) < SLOW_S, (opening, unit)


def test_a_text_of_a_hundred_thousand_characters_is_soon_read(soak: bool) -> None:
    for unit in dict.fromkeys((*WORST, *Random(23).sample(UNITS, 60))) if soak else WORST[:1]:
        assert seconds(read_whole, repeated(unit, HUGE[soak])) < HUGE_S, unit


def _pieced(random: Random, length: int) -> str:
    text = ""
    while len(text) < length:
        text += repeated("".join(random.choices(UNITS, k=random.randint(1, 3))), random.randint(1, length))
    return text[:length]


def test_mixed_units_take_no_longer_than_they_are_long(soak: bool) -> None:
    random = Random(20)
    for _ in range(60 if soak else 3):
        text = _pieced(random, LONG[soak])
        assert seconds(read_whole, text) < SLOW_S or seconds(read_whole, text, 3) < SLOW_S, text[:200]


def test_a_question_of_any_length_that_is_taken_is_understood_within_a_second(soak: bool) -> None:
    def read(asked: str) -> None:
        assert len(asked) > LONGEST_TEXT  # longer ones are not mended
        language_of(asked)
        for part in parts_of(asked):
            claim_in(understand(part, [asked]))

    random = Random(21)
    units = UNITS if soak else (*WORST, *random.sample(UNITS, 30))
    asked = [repeated(u, LONGEST_QUESTION - 4) + "对吧？" for u in units]
    asked += [_pieced(random, LONGEST_QUESTION) for _ in range(600 if soak else 30)]
    for text in asked:
        assert seconds(read, text) < QUESTION_S or seconds(read, text, 3) < QUESTION_S, text[:100]


def _expressions() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Every regular expression of index/ and rag/, and of their word lists."""
    for path in sorted([*ROOT.glob("index/**/*.py"), *ROOT.glob("rag/*.py")]):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        if name.endswith(("__init__", "torch")):
            continue
        for key, value in vars(import_module(name)).items():
            if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
                yield f"{name}.{key}", value
    for path in sorted([*ROOT.glob("index/lexicon/*.toml"), *ROOT.glob("rag/lexicon/*.toml")]):
        for n, said in enumerate(_strings(lexicon(path.parents[1].name, path.stem))):
            if re.search(r"[*+?|{]", said):
                yield f"{path.name}[{n}]", re.compile(said)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def test_no_expression_goes_back_over_a_stretch_again_and_again(soak: bool) -> None:
    found = list(_expressions())
    assert len(found) > 150
    random = Random(22)
    opened = ("", "甲：a b", "在", "据", "# ", "<", "“")
    units = [*UNITS, "，a b c", "在甲上", "，甲 乙 丙", "a a", "(a", "a]"]
    texts = [repeated(u, 200) for u in units] + [o + repeated(u, 150) + "\0" for o in opened for u in units[-6:]]
    texts += [_pieced(random, 200) for _ in range(3000 if soak else 30)]
    for name, pattern in found:
        for text in texts:
            taken = seconds(pattern.search, text)
            assert taken < PATTERN_S or seconds(pattern.search, text, 2) < PATTERN_S, (name, text[:60])


def test_what_a_row_of_a_table_is_about_is_soon_told() -> None:
    row = "甲：a b" + "，a b c d" * 40
    assert seconds(row_key, row) < 0.1
    assert row_key(row + "。") == "甲"
