"""Figures as the answer shows them: value, whose, what, when, 口径 and who says so, each borne out by what is cited."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from index.fold import fold_text
from index.quantities import Number, parsed
from index.snapshot import Snapshot
from index.values import Document, Figure, Sentence
from rag.evidence import Scored
from rag.statements import Statement, in_script, is_borne_out

ABOVE = 6  # sentences looked back through for a period or a source that a figure takes from above
SCOPE_CHARS = 40
_POWERS = {"万亿": 1e12, "亿": 1e8, "百万": 1e6, "万": 1e4, "千": 1e3, "百": 1e2}
_HALF = {"H1": "上半年", "H2": "下半年"}
_QUARTER = {f"Q{n}": f"第{c}季度" for n, c in enumerate("一二三四", 1)}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table of figures. Empty cells are what the sources do not say."""

    value: str
    what: str
    period: str
    scope: str
    statement: Statement  # what is cited: the sentence, and those above it that a cell needs


def period_words(as_of: str) -> str:
    """`2025H1` → 2025年上半年, `2024-12-15` → 2024年12月15日; words stay."""

    def one(m: re.Match[str]) -> str:
        year, part, day = m.group("year"), m.group("part") or "", m.group("day")
        if part in _HALF or part in _QUARTER:
            return f"{year}年{_HALF.get(part) or _QUARTER[part]}"
        month = f"{int(part[1:])}月" if part else ""
        return f"{year}年{month}{f'{int(day)}日' if day else ''}"

    text = re.sub(r"(?P<year>\d{4})(?P<part>H[12]|Q[1-4]|-\d\d)?(?:-(?P<day>\d\d))?", one, as_of)
    return text.replace(" 至 ", "至").replace(" 对 ", "对").replace("较 ", "较")


def row_of(figure: Figure, sentence: Sentence, above: Sequence[Sentence], document: Document, lang: str) -> Row:
    """A figure as a row.

    Args:
        above: the sentences before it, nearest first: what a figure takes from above is cited there too.
    """
    cited: list[Sentence] = [sentence]

    def borne(text: str) -> bool:
        if is_borne_out(text, *cited):
            return True
        source = next((s for s in above if is_borne_out(text, *cited, s)), None)
        if source is not None:
            cited.append(source)
        return source is not None

    value = as_written(figure.value, figure.hedge, figure.number, figure.unit)
    what = f"{figure.subject or ''}{figure.attribute or ''}"
    if not borne(what):
        what = figure.attribute if figure.attribute and borne(figure.attribute) else ""
    period = period_words(figure.as_of) if figure.as_of else ""
    if period and not borne(period):
        period = period[5:] if re.match(r"\d{4}年.", period) and borne(period[5:]) else ""
    kept: list[str] = []
    for part in (figure.scope or "").split(";"):
        if (
            part
            and part not in what
            and part != document.author
            and sum(map(len, kept)) + len(part) <= SCOPE_CHARS
            and borne(part)
        ):
            kept.append(part)
    text = " ".join((value, what, period, *kept))
    statement = Statement(text, sentence, document, bearing=tuple(cited[1:]), figure=figure)

    def shown(cell: str) -> str:
        return in_script(cell.replace("|", "/"), lang, document.lang if cell == value else "zh-Hans")

    return Row(shown(value), shown(what), shown(period), shown(";".join(kept)), statement)


def as_written(value: str, hedge: str | None, number: Number, unit: str | None) -> str:
    """A figure's value with its hedge, on the side where it stood, and the unit it shares: the 17.5亿元 of
    “分别为17.5、13.5亿元”.
    """
    value += shared_unit(value, number, unit)
    after = re.search(r"以上|以下|以内|以外|左右|上下|有余", hedge or "")
    before = "" if after or re.search(r"^[余多几数上过+]+$", hedge or "") else hedge or ""
    return f"{before}{value}{after.group() if after else ''}"


def shared_unit(value: str, number: Number, unit: str | None) -> str:
    """What a bare numeral takes from the last one of its list: 亿元, %; empty where it stands for itself."""
    if not isinstance(number, int | float) or not re.fullmatch(r"\d[\d,]*(?:\.\d+)?", value):
        return ""
    told = parsed(value) * (0.01 if unit in ("%", "个百分点", "百分点") else 1)
    power = next((name for name, size in _POWERS.items() if told and abs(number / told / size - 1) < 1e-6), "")
    return power + (unit or "")


def sentences_above(candidate: Scored, snapshot: Snapshot) -> list[Sentence]:
    """The sentences before one in its document, nearest first."""
    row, found = candidate.row, list(candidate.passage.sentences[: candidate.place])
    while len(found) < ABOVE and row and snapshot.passages[row - 1].doc_id == candidate.sentence.doc_id:
        row -= 1
        found = [*snapshot.passages[row].sentences, *found]
    return found[: -ABOVE - 1 : -1]


def is_subject(figure: Figure, forms: Sequence[str]) -> bool:
    """Whether a figure is of a name in one of its forms."""
    subject = fold_text(figure.subject or "")
    return any(form in subject for form in forms)
