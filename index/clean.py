"""What of a document is worth reading: small named rules drop or repair the rest, and say so.

Rules work on the text alone and are applied until none finds anything more, so cleaning a cleaned text changes nothing.
A document's `keep:` switches rules off by name.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from index.aligned import Aligned, Edit
from index.character_rules import CHARACTER_RULES, invisible, stray_pinyin
from index.damage import damaged, repairs
from index.fold import fold_text
from index.instructions import instructions
from index.line_rules import line_rules
from index.lookalikes import lookalikes
from index.pipe_tables import RULE as PIPE_TABLE
from index.pipe_tables import pipe_tables
from index.values import Removal

FURNITURE = (  # whole lines of the page that are not its text
    "page_frame",
    "instruction",
    "running_header",
    "hidden_text",
    "site_line",
    "keyword_spam",
    "navigation",
    "share_bar",
    "pagination",
    "advert",
    "related",
    "comments",
    "end_mark",
    "unlike_text",
    "disclaimer",
    "reprint",
    "byline",
    "footer",
    "empty_list",
)
RULES = (
    "front_matter",
    *FURNITURE,
    "mojibake",
    "misaligned",
    "damaged",
    "lookalike",
    "invisible",
    "private_use",
    PIPE_TABLE,
    "stray_pinyin",
    "footnote_digit",
    "footnote_arrow",
    "full_width",
    "glued_list_mark",
    "markdown",
    "blank_before_mark",
    "blank",
)
FURNITURE_TURNS = 8  # these rules look at neighbours: line by line they could eat through a text of nothing else


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The readable text, aligned to the original, and everything that is not in it.

    A removal whose replacement is what it replaces marks characters that are still there and not to be relied on:
    damaged beyond repair, or of another script than they seem.
    """

    readable: Aligned
    removals: tuple[Removal, ...]
    damaged: tuple[str, ...] = ()  # the stretches of the readable text that are

    @property
    def folded(self) -> str:
        """The readable text, folded."""
        return fold_text(self.readable.text)


def clean(
    text: str,
    keep: Collection[str] = (),
    *,
    marked: Sequence[Removal] = (),
    site: Collection[str] = (),
) -> Cleaned:
    """The readable part of `text`, and every removal with the rule that made it.

    Args:
        text: the decoded original.
        keep: names from RULES not to apply.
        marked: stretches of `text` that the file's structure says are not text.
        site: folded lines that the site prints on every page.
    """
    readable = Aligned.of(text)
    removals: list[Removal] = []

    def apply(edits: Iterator[Edit] | list[Edit]) -> None:
        nonlocal readable
        wanted = [e for e in edits if e.rule not in keep]
        if wanted:
            for e in wanted:
                removals.extend(Removal(a, b, e.rule, e.replacement) for a, b in readable.runs(e.start, e.end))
            readable = readable.edited(wanted)

    apply([Edit(m.start, m.end, m.rule) for m in marked])
    # Broken encodings, pinyin and invisible characters go first, since they hide words from the line rules; then whole
    # lines; then the rest. Again until nothing changes: a dropped line can bring the next to an edge.
    for turn in count():
        before = readable.text
        on_lines = line_rules(site, around=turn < FURNITURE_TURNS)
        for rule in (repairs, invisible, pipe_tables, stray_pinyin, instructions, *on_lines, *CHARACTER_RULES):
            apply(rule(readable.text))
        if readable.text == before:
            break
    lost: list[tuple[int, int]] = []
    for name, found in (("damaged", damaged), ("lookalike", lookalikes)):
        own = [] if name in keep else list(found(readable.text))
        lost += own
        for start, end in own:
            a, b = readable.span(start, end)
            removals.append(Removal(a, b, name, text[a:b]))
    return Cleaned(
        readable,
        tuple(sorted(removals, key=lambda r: (r.start, r.end))),
        tuple(dict.fromkeys(readable.text[start:end] for start, end in lost)),
    )
