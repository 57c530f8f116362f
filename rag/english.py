"""Chinese quantities for English readers: 482.4亿 → 48.24 billion."""

import re
from decimal import Decimal

_QUANTITY = re.compile(r"(\d[\d,]*(?:\.\d+)?)\s?(万亿|萬億|亿|億|万|萬)")
_SIZE = {"万亿": 12, "亿": 8, "万": 4}
_WORDS = ((12, "trillion"), (9, "billion"), (6, "million"))


def in_words(number: str, unit: str) -> str:
    """`482.4`, `亿` → `48.24 billion`; exact, no rounding."""
    value = Decimal(number.replace(",", "")).scaleb(_SIZE[unit.replace("萬", "万").replace("億", "亿")])
    for power, word in _WORDS:
        if value >= 10**power:
            return f"{_plain(value.scaleb(-power))} {word}"
    return f"{int(value):,}" if value == int(value) else _plain(value)


def _plain(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def gloss(text: str) -> str:
    """Every quantity of a Chinese text in English words, in order: `482.4亿 = 48.24 billion`; empty without any."""
    return "; ".join(dict.fromkeys(f"{m.group()} = {in_words(*m.groups())}" for m in _QUANTITY.finditer(text)))
