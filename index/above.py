"""What a sentence may leave out because it was said above, and what it says of a quantity with that filled in."""

from dataclasses import dataclass

from index.grammar import is_measure, is_share


@dataclass(slots=True)
class Above:
    """What a sentence may leave out because it was said above."""

    name: str | None = None  # what the whole text is about
    year: str | None = None
    topic: str | None = None
    company: str | None = None  # that “公司” means
    attribute: str | None = None
    acted: str | None = None  # the last verb with what it acts on
    level: str | None = None  # the last one that is no share
    change: str | None = None  # the verb of a change that came with it
    kind: str | None = None  # of the quantity the attribute was given for
    as_of: str | None = None
    said_by: str | None = None
    unsourced: str | None = None  # “数据显示”: words that name nobody
    note: str | None = None
    market: str | None = None
    part: bool = False  # the sentence tells of parts of what stands above (其中)
    goes_on: bool = False
    section: str | None = None  # the period its heading names
    items: tuple[str, ...] = ()  # the parts a series of figures was given for
    names: tuple[str, ...] = ()  # … those whose figures they are
    times: tuple[str, ...] = ()  # … or of which they are
    row: tuple[str, ...] = ()  # the last times in the text of which there was one figure each: 上述各期


@dataclass(frozen=True, slots=True)
class Whole:
    """Whose a quantity is and what it measures."""

    subject: str | None
    attribute: str | None
    change: str | None


def share_of(state: Above, share: str) -> str:
    """A share with the whole it is a share of, where the text says: 调用量份额."""
    bare = share.removeprefix("市场") or share
    known = state.attribute if state.part else None
    if known and is_share(known):
        return known
    whole = known and is_measure(known) and not known.endswith(("率", "幅", "速"))  # of a rate there are no shares
    return f"{known}{bare}" if whole and len(known or "") <= 20 else share
