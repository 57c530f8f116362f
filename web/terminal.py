"""What documents say, for a terminal: whatever would steer it or hide in the text is shown as a mark."""

import re

from index.lookalikes import lookalikes, passing_in
from index.unseen import BREAKS, code_of, unseen_in

_STEERING = re.compile(f"[{BREAKS}\r]")


def shown(text: str) -> str:
    """The text with `⟨U+202E⟩` for each character that does not show, turns others or moves the cursor.

    A letter of another script inside a Latin word gets its code behind it, as in `DeepSeе⟨U+0435⟩k`. Line feeds and
    tabs stay.
    """
    hidden = {*unseen_in(text), *(m.start() for m in _STEERING.finditer(text))}
    foreign = {n for start, end in lookalikes(text) for n in passing_in(text, start, end)}
    if not hidden and not foreign:
        return text
    return "".join(
        f"⟨{code_of(c)}⟩" if n in hidden else f"{c}⟨{code_of(c)}⟩" if n in foreign else c for n, c in enumerate(text)
    )
