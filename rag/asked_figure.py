"""The figure a question asks for: does a sentence state one of that shape, for that subject, period and measure?

A near miss (another company's share, another year's revenue) is the error analysts leave for. So all four are asked of
one sentence with its context, not of the passage.
"""

import re
from collections.abc import Sequence

from index.aliases import chinese_for, entities_in, forms_of, measures_in, names_share
from index.anaphor import mentions_above, opens_back
from index.attribution import source_of
from index.data import lexicon
from index.fold import fold_text
from index.grammar import NAMED, is_measure, tagged_words
from index.periods import match, periods_in
from index.tokenize import words
from rag.evidence import FEATURES, SHAPES, Scored
from rag.reading import answers_of
from rag.understand import Question, asks_for_amount

_SHAPED = ("multiple", "money", "percent")  # wants whose figures cannot be mistaken for another kind
_COUNTED = re.compile(
    r"(?:多少|几)(?:个|家|款|种|名|人|位|所|次|项|座|条|只|台|部|篇|辆)?(?P<thing>[\u4e00-\u9fff]{2,8})"
)
_QUANTITY = re.compile(  # a number of things: no year, no version
    r"(?<![\da-z.\-])\d[\d.,]*\s?(?:[万亿千百多余]|个|家|款|种|名|人|次|项|座|所|台|条|部|篇|位|岁|天|小时|分钟|毫秒|ms|秒|米|公里|吨|%|元)"
    r"|[一二两三四五六七八九十百千数]+(?:多|余)?(?:个|家|款|种|名|人|次|项|座|所|台)|过[万亿]"
    r"|(?<![\d.\-])\d[\d.,]*k?\s(?:(?:million|billion|thousand)\s)?[a-z]{3,}"
)
_COUNT = re.compile(  # … and neither a rate nor money
    r"(?<![\da-z.\-])\d[\d,]*(?:\.\d+)?k?\s?(?:[万亿千百]|million|billion|thousand)*(?![\d.,]*\s?(?:%|％|元|个?百分点|倍|年|月|日))"
    r"|[一二两三四五六七八九十百千数]+(?:多|余)?(?:个|家|款|种|名|人|次|项|座|所|台)|过[万亿]"
)
_SHARE_OF = re.compile(r"(?<![年季月度期半])的\s?\d[\d.]*\s?%")  # “拿下调用量的49.2%”, not “上半年的29.5%”
_HOW_MANY = re.compile(
    r"how many (?P<thing>[a-z]+"
    r"(?: (?!(?:do|does|did|is|are|was|were|has|have|had|will|can|of|in|at|by|for|to)\b)[a-z]+)?)"
)
_NOT_COUNTED = frozenset({"时间", "美元", "美金", "人民币", "文章", "报告", "报道"})  # units and sources, not things
_AT = {name: n for n, name in enumerate(FEATURES)}
IN_THE_SENTENCE = 2.0  # log odds for each asked measure that the sentence itself names, not only its context
LIKELY = 1.0  # log odds of the reader from which its figure counts, though other words name what is counted
WITHIN = 4.0  # log odds: how far below the best sentence another may still be the one that answers
WIDELY = 8.0  # … where the question says that sources differ, each wording it in its own way, or asks for a place


def is_asked_for(question: Question) -> bool:
    """Whether the question wants a figure that can be told from others; a why or a how does not, whatever it mentions.

    A count can when the question says what is counted (“多少个可用区”) or measured (“日活是多少”).
    """
    if question.wants & {"reason", "method", "list"} and "conflict" not in question.wants:
        return False
    if asks_for_place(question.folded):
        return True
    if question.wants & {"name", "person", "place"} and not asks_for_amount(question.folded):
        return False
    counted = "count" in question.wants and (counted_thing(question.folded) or measures_in(question.folded))
    return bool(counted) or any(want in question.wants for want in _SHAPED)


def asks_for_place(folded: str) -> bool:
    """Whether a folded question asks for a place among others: 排第几, not how much it is."""
    return re.search(lexicon("rag", "question")["figures"]["place_asked"], folded) is not None


def tells_place(folded: str) -> bool:
    """Whether a folded text tells of a place among others: 排第二位, 居首."""
    return re.search(lexicon("rag", "question")["figures"]["place_told"], folded) is not None


def counted_thing(asked: str) -> tuple[str, ...]:
    """What a folded question asks the number of, in all its forms; empty when it does not say.

    In English the Chinese words for it, where the lexicon has them.
    """
    if m := _HOW_MANY.search(asked):
        return (*chinese_for(m.group("thing")), m.group("thing").split()[-1].rstrip("s"))
    m = _COUNTED.search(asked)
    first = words(m.group("thing"))[0] if m else ""
    return forms_of(first) if len(first) > 1 and first not in _NOT_COUNTED else ()


def states_it(question: Question, candidate: Scored, names: Sequence[str]) -> bool:
    """Whether the sentence has the asked shape and, with its context, the asked subject, period and measure."""
    features = candidate.features
    # “几倍” tells; “成本降低多少” may be answered in money or in percent
    shapes = {"multiple"} if "multiple" in question.wants else question.wants.intersection(_SHAPED) or {"count"}
    if "percent" in shapes and names_share(question.folded):
        shapes = {"percent"}  # a share of the revenue is no revenue
    shaped = any(
        (_QUANTITY if shape == "count" else SHAPES[shape]).search(candidate.sentence.folded) for shape in shapes
    )
    thing = counted_thing(question.folded) if shapes == {"count"} else ()
    shaped = shaped and (not thing or _COUNT.search(candidate.sentence.folded) is not None)
    shaped = shaped and (not thing or any(form in candidate.sentence.folded for form in thing))
    if asks_for_place(question.folded):
        shaped = tells_place(candidate.sentence.folded)
    whose = question.entities or (((question.opening,),) if question.opening else ())
    subject = is_about(whose, candidate) and all(name in candidate.context for name in names)
    period = not question.periods or features[_AT["period_match"]] > 0
    alone = not _is_joint(question, candidate.sentence.folded)
    return shaped and subject and period and alone and _measures_it(question.folded, candidate)


def _is_joint(question: Question, sentence: str) -> bool:
    """Whether the one figure of a sentence is of several together, and one of them is asked about: 三家合计占71%."""
    together = lexicon("rag", "question")["figures"]["together"]
    if len(question.entities) != 1 or len(entities_in(sentence)) < 2 or re.search(together, question.folded):
        return False
    return re.search(together, sentence) is not None and len(SHAPES["percent"].findall(sentence)) == 1


def is_read(question: Question, best: Scored) -> bool:
    """Whether the reader is sure of a figure in the best sentence, of the asked subject and period: it reads what is
    counted or measured better than words that must match.
    """
    if best.span is None or answers_of(best) < LIKELY:
        return False
    period = not question.periods or best.features[_AT["period_match"]] > 0
    said = fold_text(best.sentence.text[best.span.start : best.span.end])
    if asks_for_place(question.folded) and not tells_place(said):
        return False
    named = all(name in best.context for name in question.names)
    if not question.wants & {"percent", "multiple"} and SHAPES["multiple"].search(said):
        return False  # a level is asked for, and by how much it grew is none
    return period and named and is_about(question.entities, best) and SHAPES["count"].search(said) is not None


def may_lead(question: Question, lead: str, sentence: str) -> bool:
    """Whether a few words of a sentence can stand for the answer.

    Where the sentence tells of several subjects or periods, the words must name the asked one; where a figure is asked
    for, they must have its shape and name no other measure.
    """
    said, whole, asked = fold_text(lead), fold_text(sentence), measures_in(question.folded)
    if question.entities and len(entities_in(whole)) > 1 and not is_named(question.entities, said):
        return False
    if question.periods and len(periods_in(whole)) > 1 and match(question.periods, periods_in(said)) < 0.75:
        return False
    if "name" in question.wants and not asks_for_amount(question.folded) and not _names_anybody(said):
        return False
    if not is_asked_for(question):
        return True
    if asks_for_place(question.folded):
        return tells_place(said)
    shapes = question.wants.intersection(_SHAPED) or {"count"}
    return any(SHAPES[s].search(said) for s in shapes) and all(forms in asked for forms in measures_in(said))


def _names_anybody(folded: str) -> bool:
    """Whether a few words hold a name: of the lexicon, in Latin letters, or what the dictionary takes for one."""
    return bool(entities_in(folded)) or any(NAMED.fullmatch(tag) for _, tag in tagged_words(folded))


def is_named(entities: Sequence[tuple[str, ...]], folded: str) -> bool:
    """Whether a folded text names one of the subjects."""
    return any(form in folded for forms in entities for form in forms)


def _measures_it(asked: str, candidate: Scored) -> bool:
    """Whether the asked measures stand by the figure, and the sentence is not about another one instead."""
    measures, sentence = measures_in(asked), candidate.sentence.folded
    if names_share(asked) and not names_share(sentence) and not _SHARE_OF.search(sentence):
        changes = any(form in sentence for word in ("增长", "下降") for form in forms_of(word))
        return not changes and all(forms in measures for forms in measures_in(sentence))  # “营收增长60%” is no share
    own = measures_in(sentence)
    return all(forms in own or (not own and any(form in candidate.context for form in forms)) for forms in measures)


def is_about(entities: Sequence[tuple[str, ...]], candidate: Scored) -> bool:
    """Whether a sentence can be about an asked subject: it names it, or it stands above and no other is named.

    A sentence that opens with “其” or “该”, or says “它”, goes on about the subject above, whomever else it names.
    """
    if not entities:
        return True
    sentence = candidate.sentence.folded
    if is_named(entities, sentence):
        return True
    if (source := source_of(sentence)) is not None:  # who says so is not whom it is about
        sentence = sentence[: source.start] + sentence[source.end :]
    above = is_named(entities, candidate.context)
    back = opens_back(sentence) or mentions_above(sentence)
    if back and is_named(entities, candidate.opening):
        return True
    told = re.match(r"[^\d]*\d[^,，;；。]*", sentence)  # whom it names after its first figure is another matter
    return above and (back or not entities_in(told.group() if told else sentence))


def stating(question: Question, ranked: Sequence[Scored]) -> list[Scored]:
    """The likely sentences that state the asked figure, best first."""
    if not ranked or not is_asked_for(question):
        return []
    names = question.names
    if question.lang == "en":  # any capitalised word may be one: only those the pages write count
        names = tuple(n for n in names if any(n in c.context for c in ranked))
    within = WIDELY if "conflict" in question.wants or asks_for_place(question.folded) else WITHIN
    found = [c for c in ranked if c.score >= ranked[0].score - within and states_it(question, c, names)]
    known = measures_in(question.folded)
    other = [w for w in question.words if is_measure(w) and not any(w in form for forms in known for form in forms)]
    measures = [*known, *map(forms_of, other)]

    def closeness(c: Scored) -> float:
        named = WITHIN * sum(n in c.sentence.folded for n in names)  # IaaS is no PaaS, though they share a passage
        return c.score + named + IN_THE_SENTENCE * sum(any(f in c.sentence.folded for f in forms) for forms in measures)

    return sorted(found, key=closeness, reverse=True)
