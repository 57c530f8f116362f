"""Whether a number of a sentence is the evidence's: whose, of when, by whose count, how bounded, which way it went."""

import re
from collections.abc import Iterator, Sequence

from index.aliases import entities_in, forms_of, measures_in
from index.fold import fold_text
from index.values import Figure
from rag.figure_kinds import is_change
from rag.ledger import periods_of
from rag.mentions import Mention, pattern, same_number
from rag.stated import Evidence, Name, Stated, covered, is_same, subject_of

LIKE = 0.5  # of a subject's words: a sentence speaks of it
SURELY = 0.8  # … where it has a name and that name is not said
NEAR = 8  # characters before or after a number that may bound it
_IN_TURN = re.compile(r"分别|依次|respectively")
_EXACT = ("percent", "points", "multiple")

Candidate = tuple[Evidence, Stated, Mention, Figure | None]


def candidates(mention: Mention, cited: Sequence[Evidence], borne: Sequence[Stated]) -> Iterator[tuple[int, Candidate]]:
    """Where the evidence states the same number in the same unit, with what the ledger knows of it.

    Args:
        borne: the sentences of `cited`, taken apart.
    """
    for n, (e, b) in enumerate(zip(cited, borne, strict=True)):
        for own in b.mentions:
            if same_number(mention.number, own.number) and _same_unit(mention.unit, own.unit):
                figures = [f for f in e.figures if same_number(f.number, own.number)]
                yield from ((n, (e, b, own, f)) for f in figures)
                if not figures:
                    yield n, (e, b, own, None)


def _same_unit(said: str | None, own: str | None) -> bool:
    if said is None or own is None:
        return said == own or (own not in _EXACT and said not in _EXACT)
    return said == own or said in forms_of(own) or said.rstrip("s") == own.rstrip("s")


def misfit(claim: Stated, said: Mention, candidate: Candidate) -> str | None:
    """What the sentence says otherwise than the evidence does of the same number."""
    evidence, borne, own, figure = candidate
    source = fold_text(f"{figure.scope or ''} {figure.said_by or ''}") if figure else ""
    attribute = fold_text((figure.attribute if figure else None) or "")
    skip = [w for w in (attribute, source, fold_text(evidence.document.publisher or "")) if w.strip()]
    if _is_of_another(claim, said, borne, own, subject_of(figure), skip):
        return "other_subject"
    if _is_of_another_time(claim, said, borne, own, figure):
        return "other_period"
    if source.strip() and any(not is_same(s, source) for s in _sources(claim, said, borne, source)):
        return "other_scope"
    clause, theirs = claim.in_clause(said.start), borne.in_clause(own.start)
    measures = measures_in(clause)
    if measures and attribute and not any(m in measures_in(f"{attribute} {theirs}") for m in measures):
        return "other_measure"
    if _bound(claim, said) != _bound(borne, own):
        return "other_bound"
    if _is_turned(claim.around(said), borne.around(own), known=figure is not None):
        return "negated"
    return _direction(claim, said, f"{attribute} {theirs}", borne, figure)


def _is_of_another(
    claim: Stated, said: Mention, borne: Stated, own: Mention, subject: str, skip: Sequence[str]
) -> bool:
    owner = _in_turn(claim, said, skip) or claim.owner_of(
        said.start, [w for w in skip if subject not in w] if subject else skip
    )
    if subject:
        if owner is not None and not is_same(owner.text, subject):
            return True
        spoken = entities_in(claim.folded)
        named = any(forms in spoken for forms in entities_in(subject))
        return not named and covered(subject, claim.said) < (SURELY if entities_in(subject) else LIKE)
    theirs = borne.owner_of(own.start)
    if owner is None or theirs is None or is_same(owner.text, theirs.text):
        return False
    return owner.text not in borne.in_clause(own.start)


def _in_turn(claim: Stated, said: Mention, skip: Sequence[str]) -> Name | None:
    """“A、B分别为1、2”: the first number is the first one's."""
    if not _IN_TURN.search(claim.folded):
        return None
    first = claim.mentions[0].start
    names = [n for n in claim.names if n.end <= first and not any(n.text in w for w in skip)]
    return names[claim.mentions.index(said)] if len(names) == len(claim.mentions) else None


def _is_of_another_time(claim: Stated, said: Mention, borne: Stated, own: Mention, figure: Figure | None) -> bool:
    times = claim.times_at(said.start)
    theirs = (periods_of(figure.as_of) if figure else frozenset()) or borne.times_at(own.start)
    # a day is of its month, but a half-year is not its year
    return bool(times and theirs) and not any(
        t == p or (len(p) == 7 and t.startswith(p)) for t in times for p in theirs
    )


def _sources(claim: Stated, said: Mention, borne: Stated, source: str) -> list[str]:
    """The names before a number, from the one before it on, that the evidence counts by: 按 IDC 口径."""
    since = max((m.end for m in claim.mentions if m.end <= said.start), default=0)
    own = [n.text for n in claim.names if since <= n.start < said.start]
    return [n for n in own if _counts(n, borne)]


def _counts(name: str, borne: Stated) -> bool:
    """Whether the evidence says something by a name's count."""
    said_so = pattern("source", "by")
    return any(
        n.text == name
        and (
            said_so.search(borne.folded[n.end : n.end + NEAR])
            or re.search(r"(?:按照?|据|依)\s?$", borne.folded[: n.start])
        )
        for n in borne.names
    )


def _bound(text: Stated, mention: Mention) -> str | None:
    """Whether a number is said to be passed (over) or not reached (under)."""
    start, end = text.clause_at(mention.start)
    others = [m for m in text.mentions if m != mention]
    start = max([start, mention.start - 2 * NEAR, *(m.end for m in others if m.end <= mention.start)])
    end = min([end, mention.end + NEAR, *(m.start for m in others if m.start >= mention.end)])
    before, after = text.folded[start : mention.start], text.folded[mention.end : end]
    for name in ("under", "over"):
        form = pattern("bound", name).pattern
        if re.search(rf"(?:{form})(?:了|到|为)?\s?$", before) or re.match(
            rf"\s?(?:{pattern('bound', name + '_after').pattern})", after
        ):
            return name
    written = text.folded[mention.start : mention.end]
    return "over" if re.search(r"[余多+]", written) else None


def is_negated(folded: str) -> bool:
    """Whether a clause denies what it says; twice is not at all."""
    return len(pattern("negation", "words").findall(folded)) % 2 == 1


def _is_turned(mine: tuple[str, str], theirs: tuple[str, str], *, known: bool) -> bool:
    """Whether one denies a number that the other states.

    Args:
        known: the ledger has the figure: what is denied behind it is something else, such as that two are the same.
    """
    if is_negated(mine[0]) != is_negated(theirs[0]):
        return True
    return is_negated(mine[1]) != is_negated(theirs[1]) and (is_negated(mine[1]) or not known)


def _ways(folded: str) -> set[str]:
    return {way for way in ("up", "down") if pattern("direction", way).search(folded)}


def _direction(claim: Stated, said: Mention, theirs: str, borne: Stated, figure: Figure | None) -> str | None:
    start, end = claim.clause_at(said.start)
    mine, own = _ways(claim.folded[start:end]), _ways(theirs)
    if sum(start <= m.start < end for m in claim.mentions) > 1:  # “grew 61% to 48 billion”
        own |= _ways(borne.folded)
    if not mine and figure is not None and is_change(figure):  # “as to growth, it was 61%”
        mine = _ways(claim.folded)
        return None if mine and mine <= own else "other_direction"
    return None if mine <= own else "other_direction"
