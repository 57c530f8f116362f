"""Sentences a language model might write of the ledger's figures: true ones, worded and converted otherwise than in
the source, and subtly wrong ones. The same for the same ledger.
"""

import random
import re
from calendar import month_name
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from index.aliases import entities_in, forms_of
from index.fold import fold_text, to_simplified
from index.snapshot import Snapshot
from index.values import Figure
from rag.english import gloss
from rag.fitting import Ledger
from rag.stated import Evidence, is_same

HEDGES = {
    "超": "逾",
    "超过": "超",
    "近": "接近",
    "约": "大约",
    "逾": "超过",
    "突破": "超过",
    "过": "超过",
    "余": "超过",
}
ENGLISH_HEDGES = {
    "超": "more than ",
    "近": "nearly ",
    "约": "about ",
    "逾": "over ",
    "突破": "more than ",
    "过": "over ",
}
DIGITS = "零一二三四五六七八九"
ELSEWHERE = ("美国", "欧洲", "日本", "私有云", "印度", "东南亚")
OTHER_COUNTS = ("Gartner", "Forrester", "Canalys", "Omdia", "IDC", "弗若斯特沙利文")
ELSEWHERE_ENGLISH = ("in the United States", "in private cloud", "in Europe", "by Gartner's count", "outside China")


@dataclass(frozen=True, eq=False)
class Case:
    """One sentence, and what it cites."""

    text: str
    lang: str
    evidence: Evidence
    kind: str  # true, or what is wrong


@dataclass(frozen=True)
class Words:
    """What a figure is told with."""

    subject: str
    attribute: str
    value: str
    hedge: str
    period: str
    source: str


def figures_with_evidence(snapshot: Snapshot) -> list[tuple[Figure, Evidence]]:
    """The figures whose subject and attribute the ledger knows, with the sentence of each."""
    ledger = Ledger(snapshot.figures_of)
    found = []
    for passage in snapshot.passages:
        for s in passage.sentences:
            own = ledger.at(s)
            evidence = Evidence(1, s, snapshot.documents[s.doc_id], own)
            found += [(f, evidence) for f in own if f.subject and f.attribute and len(f.subject) < 20]
    return found


def period_in(as_of: str | None, style: int, lang: str) -> str:
    """A period in words: 2025H1 → 2025年上半年, H1 2025 …; empty for what is no single period."""
    m = re.fullmatch(r"(\d{4})(?:-(\d\d)|H([12])|Q([1-4]))?", as_of or "")
    if m is None:
        return ""
    year, month, half, quarter = m.groups()
    if lang == "en":
        if half:
            return (f"H{half} {year}", f"the {('first', 'second')[int(half) - 1]} half of {year}")[style % 2]
        return f"{month_name[int(month)]} {year}" if month else f"Q{quarter} {year}" if quarter else year
    if half:
        return (f"{year}年{'上下'[int(half) - 1]}半年", f"{year}H{half}")[style % 2]
    return f"{year}年{int(month)}月" if month else f"{year}年第{DIGITS[int(quarter)]}季度" if quarter else f"{year}年"


def value_in(figure: Figure, style: int, lang: str) -> str | None:
    """A value as another would write it; None where it cannot be converted."""
    value = to_simplified(figure.value)
    if lang == "en":
        if re.fullmatch(r"[\d.]+%", value):
            return (value, value.replace("%", " percent"))[style % 2]
        said = re.fullmatch(r"[\d.,]+\s?(万亿|亿|万)(元|美元)?", value)
        if said is None:
            return None
        return gloss(value).partition(" = ")[2] + {"元": " yuan", "美元": " US dollars", None: ""}[said[2]]
    if style % 3 == 1 and (m := re.fullmatch(r"(\d{1,2})(?:\.(\d))?%", value)):
        whole = int(m[1])
        tens = ("" if whole < 20 else DIGITS[whole // 10]) + ("十" if whole >= 10 else "")
        return f"百分之{tens}{DIGITS[whole % 10] if whole % 10 or not whole else ''}" + (
            f"点{DIGITS[int(m[2])]}" if m[2] else ""
        )
    if style % 3 == 2 and (m := re.fullmatch(r"(\d{3,4})亿(.{0,2})", value)):
        return f"{int(m[1]) / 10000:g}万亿{m[2]}"
    return value


def words_for(figure: Figure, style: int, lang: str) -> Words | None:
    """… None where this language cannot say it."""
    value = value_in(figure, style, lang)
    if value is None or figure.subject is None or figure.attribute is None:
        return None
    subject, attribute = to_simplified(figure.subject), to_simplified(figure.attribute)
    hedge = figure.hedge or ""
    if lang == "en":
        forms = [f for group in entities_in(fold_text(subject)) for f in group if f.isascii()]
        subject = forms[0].title() if forms and len(subject) < 8 else subject
        english = [f for f in forms_of(fold_text(attribute)) if f.isascii() and f.isalpha() and len(f) > 3]
        attribute = english[0] if english else attribute
        hedge = ENGLISH_HEDGES.get(hedge, "")
        if (figure.hedge or "") not in ENGLISH_HEDGES and figure.hedge:
            return None
    else:
        hedge = HEDGES.get(hedge, hedge) if style % 2 else hedge
    if "余" in value or (hedge and re.search(r"[余多几数]", value)):
        hedge = ""
    if hedge == "以上":
        hedge = "超过"
    if hedge and (figure.hedge or "") in figure.value:
        hedge = ""
    source = to_simplified(figure.said_by or "")
    return Words(subject, attribute, value, hedge, period_in(figure.as_of, style, lang), source)


CHINESE = (
    "{period}{subject}的{attribute}为{hedge}{value}[1]。",
    "{subject}{period}的{attribute}是{hedge}{value}[1]。",
    "据{source}，{subject}的{attribute}达到{hedge}{value}[1]。",
    "从{attribute}看，{period}{subject}为{hedge}{value}[1]。",
    "{source}给出的数字是：{period}{subject}的{attribute}{hedge}{value}[1]。",
)
ENGLISH = (
    "In {period}, the {attribute} of {subject} was {hedge}{value} [1].",
    "{subject} had a {attribute} of {hedge}{value} in {period} [1].",
    "The {attribute} of {subject} stood at {hedge}{value} in {period} [1].",
)


def written(words: Words, style: int, lang: str) -> str:
    """A sentence of these words."""
    text = (ENGLISH if lang == "en" else CHINESE)[style % (3 if lang == "en" else 5)].format(**vars(words))
    if not words.period:
        text = text.replace("In , the", "The").replace(" in  [1]", " [1]")
    return text


def true_cases(snapshot: Snapshot) -> Iterator[Case]:
    """Every figure in every wording."""
    for style in range(5):
        for figure, evidence in figures_with_evidence(snapshot):
            for lang in ("zh-Hans", "en"):
                words = words_for(figure, style, lang)
                if words is not None and (words.source or "{source}" not in CHINESE[style]):
                    yield Case(written(words, style, lang), lang, evidence, "true")


def wrong_cases(snapshot: Snapshot) -> Iterator[Case]:
    """Every figure, wrong in one way, in turn through the ways."""
    dice = random.Random(7)
    known = figures_with_evidence(snapshot)
    subjects = sorted({to_simplified(f.subject) for f, _ in known if f.subject})
    for style in range(5):
        for figure, evidence in known:
            for lang in ("zh-Hans", "en"):
                words = words_for(figure, style, lang)
                if words is None or (not words.source and "{source}" in CHINESE[style]):
                    continue
                for kind in ("figure", "unit", "year", "company", "negation", "scope"):
                    text = wrong(kind, words, style, lang, evidence, subjects, dice)
                    if text is not None:
                        yield Case(text, lang, evidence, kind)


def wrong(
    kind: str, w: Words, style: int, lang: str, evidence: Evidence, subjects: Sequence[str], dice: random.Random
) -> str | None:
    """The sentence with one thing changed; None where it has no such thing."""
    right = written(w, style, lang)
    text: str | None = None
    if kind == "figure":
        changed = re.sub(r"\d(?!.*\d)", lambda m: str((int(m[0]) + dice.randint(1, 8)) % 10 or 3), w.value)
        text = right.replace(w.value, changed)
        if re.sub(r"\D", "", changed) in re.findall(r"\d+", re.sub(r"[.,]", "", evidence.sentence.folded)):
            return None
    elif kind == "unit":
        swaps = (
            (("billion", "million"), ("million", "billion"), ("trillion", "billion"), ("%", " percentage points"))
            if lang == "en"
            else (
                ("万亿", "亿"),
                ("亿", "万"),
                ("万", "亿"),
                ("%", "个百分点"),
                ("美元", "元"),
                ("倍", "%"),
                ("元", "美元"),
            )
        )
        text = next((right.replace(w.value, w.value.replace(a, b)) for a, b in swaps if a in w.value), None)
    elif kind == "year" and w.period:
        shift = dice.choice((-1, 1))
        other = re.sub(r"\d{4}", lambda m: str(int(m[0]) + shift), w.period)
        if dice.random() < 0.4:
            for a, b in (("上半年", "下半年"), ("H1", "H2"), ("first half", "second half")):
                if a in w.period:
                    other = w.period.replace(a, b)
        text = right.replace(w.period, other)
    elif kind == "company":
        near = [to_simplified(f.subject) for f in evidence.figures if f.subject]
        pool = [
            s for s in (near if dice.random() < 0.5 else subjects) if not is_same(fold_text(s), fold_text(w.subject))
        ]
        pool = pool or [s for s in subjects if not is_same(fold_text(s), fold_text(w.subject))]
        text = right.replace(w.subject, dice.choice(pool))
    elif kind == "negation":
        pairs = (
            ("为", "并非"),
            ("是", "不是"),
            ("达到", "没有达到"),
            (" was ", " was not "),
            (" had ", " did not have "),
        )
        pairs += ((" stood ", " never stood "),)
        head, _, tail = right.rpartition(w.value)
        for a, b in pairs:
            if a in head:
                before, _, after = head.rpartition(a)
                text = f"{before}{b}{after}{w.value}{tail}"
                break
    elif kind == "scope":
        if lang == "en":
            elsewhere = dice.choice(ELSEWHERE_ENGLISH)
            text = right.replace(" [1]", f" {elsewhere} [1]")
            return None if "China" in elsewhere and "海外" in evidence.sentence.folded else text
        if dice.random() < 0.5:
            known = fold_text(" ".join(f"{f.scope} {f.said_by}" for f in evidence.figures))
            counts = [c for c in OTHER_COUNTS if fold_text(c) not in known]
            text = f"按{dice.choice(counts)}口径，{right}"
        else:
            elsewhere = [e for e in ELSEWHERE if e not in evidence.known]
            text = f"在{dice.choice(elsewhere)}市场，{right}"
    return text if text != right else None


def balanced(cases: Iterator[Case], most: int) -> list[Case]:
    """`most` of the cases, as many of each kind as there are, spread over the figures, without repeats."""
    by_kind: dict[str, list[Case]] = {}
    seen = set()
    for case in cases:
        if (case.text, case.evidence.sentence) not in seen:
            seen.add((case.text, case.evidence.sentence))
            by_kind.setdefault(case.kind, []).append(case)
    for own in by_kind.values():
        random.Random(11).shuffle(own)
    queues, found = [iter(own) for own in by_kind.values()], []
    while len(found) < most and queues:
        for queue in list(queues):
            case = next(queue, None)
            if case is None:
                queues.remove(queue)
            elif len(found) < most:
                found.append(case)
    return found
