"""The ledger: every quantity of a document as a Figure, with whose it is, what, when, by which scope and who says so.

Rules of grammar over one sentence and what stands above it; the words are in lexicon/figures.toml, the names in
lexicon/aliases.toml. What the text leaves out is taken from the clause or the sentence before.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from index.above import Above, Whole, share_of
from index.aliases import entity_at, entity_spans
from index.anaphor import opens_back
from index.attribution import market_of, region_of, scope_note, source_of
from index.bracketed import is_list, named_before
from index.clauses import Clause, blanked, clauses_of, hedged, without_asides
from index.data import lexicon
from index.dates import dates_in, tells_year
from index.figure_time import (
    in_a_row,
    is_base,
    is_publication,
    period_of_heading,
    period_of_opening,
    same_part,
    started_from,
    time_of,
)
from index.fold import fold, fold_text
from index.formats.tables import row_key
from index.grammar import NEXT, is_measure, is_share, word_set
from index.phrases import Phrase, read_clause
from index.quantities import Quantity, quantities_in
from index.series import distributed, per_period
from index.subjects import is_account, is_name, owner_of, topic_of
from index.values import Document, Figure, Sentence

_TITLE = re.compile(r"《[^》]*》")
_LATIN = re.compile(r"[a-z][a-z0-9.\-+]*")
_FORECAST = re.compile(r"预计|预测(?=[,，:：未将到])|有望|将(?:达|突破|超|增|超过)|预[估期测]的?约?\s?$")
_SAME_TIMES = re.compile(  # as many times as stood above
    r"(?:上述|前述|以上|同样?|这)?各(?:个?(?:报告)?期间?|年度?)(?:内|的)?|(?:上述|前述|以上)(?:报告)?(?:期间?|年份|年度|时期)(?:内|的)?"
    r"|同(?:一)?(?:时段|时期|期间)(?:内|的)?|相应(?:期间|年度|各期)|(?:往绩)?(?:记录|报告)期(?:内|间)?"
)
HEADLINE_CHARS = 15  # a title longer than this is a headline, not the name of what the text is about


def figures_of(document: Document, sentences: Sequence[Sentence], damaged: Collection[str] = ()) -> list[Figure]:
    """The figures of a document, in reading order.

    Args:
        sentences: of the document, in order, headings included.
        damaged: what stands where characters were lost; the clauses it stands in give no figures.
    """
    if document.lang == "en":  # the grammar is Chinese
        return []
    title = fold_text(document.title)
    short = len(title) <= HEADLINE_CHARS and not re.search(r"[,，:：!?\d]", title)
    name = title if short and is_name(title) else None
    state = Above(name, topic=name)
    owner = None if name else owner_of(title)
    opening = True
    case = _cases(document.text)
    found: list[Figure] = []
    end = 0
    published = document.published
    section = period_of_heading(title, published) or period_of_opening([s.folded for s in sentences], published)
    for sentence in sentences:
        if "\n" in document.text[end : sentence.start]:
            state = Above(name, state.year, name, state.company, row=state.row)
            opening = True
        end = sentence.end
        if document.text[end : end + 1] in ("\n", "") or sentence.text.endswith("\n"):
            section = period_of_heading(sentence.folded, published) or section
        state.section = section
        if (opening or state.company is None) and (company := _company_in(sentence.folded)):
            state.company = company
        opening = False
        alone = not entity_spans(sentence.folded) and market_of(sentence.folded) is None
        for figure in _of_row(sentence, _figures_in(sentence, document, state, damaged)):
            owned = figure.subject is None and alone and figure.attribute and is_account(fold_text(figure.attribute))
            found.append(
                replace(
                    figure,
                    figure_id=f"{document.doc_id}:{len(found) + 1}",
                    subject=_cased(owner if owned else figure.subject, case),
                    attribute=_cased(figure.attribute, case),
                    scope=_cased(figure.scope, case),
                    said_by=_cased(figure.said_by, case),
                )
            )
    return found


def _of_row(sentence: Sentence, found: Iterator[Figure]) -> Iterator[Figure]:
    """Figures of a row of a table are of what the row begins with, and of the one date that stands in it.

    A row that begins with a measure is of what stands above the columns: 转化率：原来 0.8%，现在 1.1%。
    """
    key = row_key(sentence.text)
    if key is None:
        yield from found
        return
    dates = {d.iso for d in dates_in(sentence.folded) if d.iso}
    measured = re.sub(r"\s?\([^()]*\)$", "", fold_text(key))
    at = 0
    for figure in found:
        cell = re.compile(rf"[：，](?P<head>[^：，。]+) [^：，。]*{re.escape(figure.value)}").search(sentence.text, at)
        head, at = (fold_text(cell.group("head")), cell.end()) if cell else ("", at)
        levels = not is_measure(head) and not any(w in head for w in word_set("change") if len(w) > 1)
        of_column = is_measure(measured) and head and levels
        yield replace(
            figure,
            subject=head if of_column else fold_text(key),
            attribute=measured if of_column else figure.attribute,
            as_of=figure.as_of or (next(iter(dates)) if len(dates) == 1 else None),
        )


def _clauses_with(folded: str, lost: Collection[str]) -> Iterator[tuple[int, int]]:
    """The clauses in which something was lost."""
    for piece in map(fold_text, lost):
        at = folded.find(piece)
        while at >= 0:
            start = max(folded.rfind(mark, 0, at) for mark in ",;。:") + 1
            ends = (folded.find(mark, at + len(piece)) for mark in ",;。:")
            yield start, min((e for e in ends if e >= 0), default=len(folded))
            at = folded.find(piece, at + len(piece))


def _company_in(folded: str) -> str | None:
    """The one known name in a sentence: what “公司” means further down."""
    named = entity_spans(folded)
    alone = len({forms for _, _, forms in named}) == 1 and not any(w in folded for w in word_set("myself"))
    return folded[named[0][0] : named[0][1]] if alone and "其" not in folded else None


def _cases(text: str) -> dict[str, str]:
    """How Latin names are written in a document, by their folded form."""
    return {m.group().lower(): m.group() for m in reversed(list(re.finditer(r"[A-Za-z][A-Za-z0-9.\-+]*", text)))}


def _cased(text: str | None, case: dict[str, str]) -> str | None:
    return _LATIN.sub(lambda m: case.get(m.group(), m.group()), text) if text else text


def _figures_in(sentence: Sentence, document: Document, state: Above, lost: Collection[str]) -> Iterator[Figure]:
    folded, places = fold(sentence.text)
    dates = dates_in(folded, year=state.year, published=document.published, reported=state.section)
    titles = [m.span() for m in _TITLE.finditer(folded)]
    taken = [
        *((d.start, d.end) for d in dates if re.search(r"\d|[一二三四五六七八九十]", folded[d.start : d.end])),
        *titles,
    ]
    quantities = quantities_in(folded, tuple(taken))
    if re.search(r"\d[?？]$", document.text[: sentence.start].rstrip()[-2:]):  # “3?5%”: half a numeral
        quantities = [q for q in quantities if q.start > 0]
    for start, end in _clauses_with(folded, lost):
        quantities = [q for q in quantities if q.end <= start or q.start >= end]
    # a character lost in conversion takes the name beside it along
    damaged = re.search(r"[?？][;；!！]?$", document.text[max(0, sentence.start - 2) : sentence.start])
    source = None if damaged else source_of(folded)
    above = (state.said_by, state.unsourced)
    reported = above
    if source and source.who:
        reported = (source.who, None)
    elif source and not source.own and above[0] is None:
        reported = (None, source.words)
    if source and source.reports and source.who:  # 腾讯发布第一季度财报,净利润272亿元
        state.topic = source.who
    state.note = scope_note(folded) or state.note
    market = market_of(folded)
    state.part = opens = re.match(r"[^,，]{0,3}其中", folded) is not None
    if not opens and not state.goes_on:
        state.market = market
    on = opens or state.goes_on
    if not on:  # “其” goes on about the subject, not of the same time
        state.as_of = None
    if not on and not opens_back(folded) and not (source and source.reports):
        state.topic = state.name or state.topic
    hidden = [(source.start, source.end)] if source else []
    first_topic: str | None = None
    titled = [d for d in dates if any(a <= d.start < b for a, b in titles)]
    period = state.as_of or (titled[-1].iso if titled else None) or state.section
    dates = same_part(dates, folded, period)
    later = [d for d in dates if d not in titled]
    clauses = clauses_of(
        folded, quantities, [d for d in dates if not any(a <= d.start < b for a, b in titles)], hidden, titles
    )
    lasting = period  # without that of a forecast, which a semicolon ends: 到2030年将达……;份额方面,……
    for clause in clauses:
        if folded[max(0, clause.start - 1) : clause.start] == ";":
            state.topic, period = first_topic or state.topic, lasting
        own = [d for d in clause.dates if not is_publication(folded, d)]
        same = None if own else _SAME_TIMES.search(clause.text)
        if row := in_a_row(own, folded) or (state.row if same else ()):
            state.times, state.names = row, ()
        elif own:
            state.times = ()
        if not clause.quantities:
            if open_ := [d for d in own if not re.match(r"[^,，]{0,14}(?:以来|起)", folded[d.end :])]:
                period = lasting = open_[-1].iso
            topic, measure = topic_of(blanked(clause, folded, hidden, own))
            if topic and not (is_measure(topic) and not entity_at(topic)) and not is_list(clause.text):
                state.topic, state.attribute, state.change, state.kind = topic, measure, None, None
                first_topic = first_topic or topic
            continue
        when_told = [(d.start, d.end) for d in own]
        when_told += [(clause.start + m.start(), clause.start + m.end()) for m in _SAME_TIMES.finditer(clause.text)]
        each = len(state.times) == len(clause.quantities) and per_period(clause, folded, [*hidden, *when_told], state)
        state.row = state.times if each else state.row
        noun = ""
        for n, quantity in enumerate(clause.quantities):
            before = clause.quantities[n - 1].end if n else clause.start
            state.said_by, state.unsourced = reported if source is None or quantity.start >= source.start else above
            after = (
                clause.quantities[n + 1].start if n + 1 < len(clause.quantities) else clause.start + len(clause.text)
            )
            left = without_asides(folded, before, quantity.start - hedged(folded, quantity), hidden, clause.dates)
            right = without_asides(folded, quantity.end, after, hidden, clause.dates)
            right = re.sub(rf"^(?:{lexicon('index', 'figures')['quantity']['hedge_after']})", "", right)
            right += NEXT if n + 1 < len(clause.quantities) else ""
            left = re.sub(rf"^的?{re.escape(noun)}", "", left) if noun else left
            phrase = read_clause(left, right, quantity.kind)
            noun = phrase.noun
            if (
                source
                and source.who
                and phrase.subject is None
                and clause.start <= source.end <= quantity.start
                and not n
            ):
                phrase = replace(phrase, subject=source.who if entity_at(source.who) == len(source.who) else None)
            whole = each or _resolved(phrase, state, n, clause, folded, quantity)
            when = state.times[n] if each else time_of(quantity, phrase, own, later, period, folded)
            if (
                not each and not is_base(when, own, folded) and not started_from(quantity, folded)
            ):  # “较2023年的3.799亿” dates itself alone
                period = when
                lasting = lasting if _FORECAST.search(clause.text) else when
            if whole.subject and not clause.inner and not phrase.back:  # 其 … 其: both go back to the same
                state.topic = whole.subject
                first_topic = first_topic or whole.subject
            if phrase.acts and whole.attribute:
                state.attribute, state.acted = None, whole.attribute
            if whole.attribute and not phrase.acts and not clause.inner:
                state.attribute, state.change = whole.attribute, phrase.change
                state.kind = None if phrase.change else quantity.kind
                state.level = state.level if is_share(whole.attribute) else whole.attribute
            a, b = _place(places, quantity)
            yield Figure(
                figure_id="",
                doc_id=document.doc_id,
                subject=_shown(whole.subject),
                attribute=_shown(_full(whole)),
                value=sentence.text[a:b],
                number=quantity.number,
                unit=quantity.unit,
                hedge=quantity.hedge,
                as_of=when,
                scope=_scope(state, whole, folded, quantity, when, source.words if source and source.own else None),
                said_by=state.said_by
                or _announcer(left, whole.subject)
                or (whole.subject if source and source.own else None)
                or document.author
                or document.publisher,
                start=sentence.start,
                end=sentence.end,
            )
    for date in later:
        if tells_year(date, folded):
            state.year = re.split(r"[-HQ ]", date.iso)[0]
    state.as_of = lasting if folded.rstrip().endswith(";") else period
    state.goes_on = re.search(r"[,，、;；:：]\s*$", folded) is not None  # a long sentence comes in pieces
    state.said_by, state.unsourced = above if source is not None and source.speaks else reported
    if first_topic:
        state.topic = first_topic


def _announcer(left: str, subject: str | None) -> str | None:
    """Who says it where a subject tells of itself: “阿里宣布未来三年投入……”."""
    said = subject is not None and re.search(rf"{re.escape(subject)}.{{0,6}}(?:宣布|披露|公布|承诺)", left)
    return subject if said else None


def _place(places: Sequence[int], quantity: Quantity) -> tuple[int, int]:
    """Where a stretch of the folded text lies in the readable one."""
    start = max(i for i, p in enumerate(places) if p <= quantity.start)
    end = next(i for i, p in enumerate(places) if p >= quantity.end)
    return start, end


def _resolved(phrase: Phrase, state: Above, n: int, clause: Clause, folded: str, quantity: Quantity) -> Whole:
    """A clause's subject and measure, with what it leaves out filled from above."""
    subject, attribute = phrase.subject, phrase.attribute
    several = clause.quantities
    if len(several) > 1 and (several_as := distributed(clause, folded, state, n)):
        return several_as
    own, of = named_before(folded, folded.rfind("(", 0, clause.start)) if clause.inner else (None, None)
    topic = own or state.topic
    if own and subject is None and attribute is None and quantity.kind == "rate" and len(several) == 1:
        return _of_item(own, of, phrase.change, state, quantity)
    if clause.inner and subject is None and attribute is None:
        attribute = re.sub(r"^其中|[超约近达仅]+$", "", clause.text[: several[0].start - clause.start].strip()) or None
    if (
        clause.inner and subject and subject != topic and not entity_at(subject) and not subject.isascii()
    ):  # (海外占比超80%), (衍生模型超10万)
        attribute, subject = f"{subject}{attribute or ''}", topic
    if subject is None and attribute and entity_at(attribute) == len(attribute):  # 苹果8130万部
        subject, attribute = attribute, None
    if subject in word_set("myself") and state.company:
        subject = state.company
    if subject is None and attribute and state.company:  # 2024年公司收入
        me = next((w for w in sorted(word_set("myself"), key=len, reverse=True) if attribute.startswith(w)), "")
        if me and is_measure(attribute[len(me) :]):
            subject, attribute = state.company, attribute[len(me) :]
    if subject and is_measure(subject) and not entity_at(subject) and not clause.inner:  # 营业利益|每股盈余
        attribute, subject = attribute or subject, None
    if attribute and re.search(r"\d[\d.,]*(?:万|亿|%)", attribute):  # words of another figure
        attribute = None
    if phrase.back and subject and state.topic and not subject.startswith(state.topic):
        subject = f"{state.topic}{subject}" if len(state.topic) <= 10 else subject
    if subject is None:
        subject = topic
    if phrase.change and attribute is None and state.attribute is None:
        attribute = state.acted  # 交付新车5055台,同比增长100%
    if quantity.unit == "%" and not phrase.change and attribute and re.search(_absolute(), attribute):
        attribute = f"{attribute}占比"  # 90%以上的收入
    if phrase.change and attribute is None and quantity.unit == "%" and is_share(state.attribute or ""):
        attribute = state.level  # a share grows by percentage points
    carried = state.kind in (None, quantity.kind) or phrase.change is not None or quantity.kind in ("counted", "bare")
    if (attribute is None and carried) or (phrase.acts and attribute and attribute.startswith("相对")):
        attribute = f"{state.attribute or ''}{attribute or ''}" or None
    if phrase.modifier and attribute and phrase.modifier not in attribute:
        attribute = f"{phrase.modifier}{attribute}"
    if phrase.shares and attribute and len(attribute) <= 5:
        market = market_of(clause.text)
        bare = attribute.removeprefix("市场") or attribute
        attribute = f"{market}{bare}" if market and market.endswith("市场") else share_of(state, attribute)
    return Whole(subject, attribute, phrase.change)


def _of_item(own: str, of: str | None, change: str | None, state: Above, quantity: Quantity) -> Whole:
    """A rate in brackets behind a name: of what stands behind the list, else of what the one before it was of."""
    if of:
        return Whole(own, of, change)
    like = state.kind in (None, quantity.kind) or state.change is not None
    measure = state.attribute if like else None
    if measure is None and state.topic and not entity_at(state.topic):
        measure = f"{state.topic}占比"  # 消耗量前三名为甲(32.1%)、乙(21.3%)
    return Whole(own, measure or "占比", change or state.change)


def _absolute() -> str:
    return f"(?:{lexicon('index', 'figures')['words']['absolute']})$"


def _full(whole: Whole) -> str | None:
    if whole.change is None:
        return re.sub(r"^(?:宣布|计划|预计|拟|将|则)+(?=..)", "", whole.attribute) if whole.attribute else None
    return f"{whole.attribute or ''}{whole.change}"


def _shown(text: str | None) -> str | None:
    return re.sub(r"\s+", " ", text.replace("|", "").replace("\0", "")).strip() or None if text else None


def _scope(
    state: Above, whole: Whole, folded: str, quantity: Quantity, period: str | None, own: str | None
) -> str | None:
    """The 口径: who counts, in which market, what is counted or left out, and whether the source is left unsaid."""
    nobody = f"只写“{state.unsourced}”,未注明机构" if state.unsourced else None
    counting = lexicon("index", "figures")["scope"]["counting"]
    clause = re.sub(r"^.*[，,;；。]", "", folded[: quantity.start])
    clause = re.sub(r"[(（][^()（）]*[)）]", "", clause)  # another bracket says nothing of this one
    clause = re.sub(r"^.*[(（]", "", clause)
    parts = [state.said_by or own or nobody, market_of(clause) or state.market or region_of(clause), state.note]
    counted = [m for m in dict.fromkeys(re.findall(counting, clause)) if m not in (_full(whole) or "")]
    parts += [m for m in counted if whole.change or m not in word_set("against_before")]
    if _FORECAST.search(folded[folded.rfind(";", 0, quantity.start) + 1 : quantity.start]):
        parts.append("预测")
    if period and " 对 " in period and len({len(re.sub(r"-\d\d$", "", p)) for p in period.split(" 对 ")}) > 1:
        parts.append("两个时期长短不同")
    cleaned = [p.strip("()（）*“” ") for p in parts if p]
    return ";".join(dict.fromkeys(cleaned)) or "文中未注明来源"
