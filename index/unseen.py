"""Characters that do not show, or that turn the order of others: what carries them and what is read differ.

They are no part of any word: dropped from what is searched, and shown to people as marks.
"""

import re
import unicodedata

_FORMATS = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_CONTROLS = "\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f"
BREAKS = "\x0b\x0c\x1c-\x1e\x85\u2028\u2029"  # they end a line, though no line feed says so
UNSEEN = re.compile(f"[{_FORMATS}{_CONTROLS}]")
_OF_EMOJI = re.compile(  # a joiner or selector behind a pictograph belongs to it: 👩‍💻, ❤️, 1️⃣
    "(?<=[\u20e3\u2190-\u21ff\u2300-\u27bf\u2900-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff\ufe0f0-9#*])"
    "[\u200d\ufe0e\ufe0f]"
)
_CONTROL_NAMES = {"\x00": "NULL", "\x07": "BELL", "\x08": "BACKSPACE", "\x1b": "ESCAPE", "\x7f": "DELETE"}


def visible(text: str) -> str:
    """The text without them."""
    return UNSEEN.sub("", text)


def unseen_in(text: str) -> list[int]:
    """Where a reader is to be shown a mark: those that make up an emoji need none."""
    found = [m.start() for m in UNSEEN.finditer(text)]
    if not found:
        return []
    own = {m.start() for m in _OF_EMOJI.finditer(text)}
    return [n for n in found if n not in own]


def code_of(char: str) -> str:
    """`U+202E`."""
    return f"U+{ord(char):04X}"


def name_of(char: str) -> str:
    """`RIGHT-TO-LEFT OVERRIDE`."""
    return unicodedata.name(char, _CONTROL_NAMES.get(char, "CONTROL"))
