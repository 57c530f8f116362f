"""How much a line looks like what stands around articles, learned from labelled pages (bench/fit_cleaning.py).

Two linear models, one after the other: the first looks at a line (its shape, its characters, what stands next to it),
the second at what the first says of its neighbours. The weights are in lexicon/line_weights.json.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from index.lines import TextLine

REACH = 3  # lines on either side that are looked at
AHEAD = 7  # lines below whose mean counts
GRAM_WEIGHT = 3.0  # of all characters of a line together, beside its shape; chosen by cross-validation
LONG = 60  # characters; of a longer line the two ends are read, and a paragraph's words say nothing of furniture
_SYMBOLS = re.compile(r"[►▼▲●★☆👁🔊✔♥▪■◆→←↑↓»«>|\[\]【】<›‹❤👍…]")
_ITEMS = re.compile(r"[\s|/·•,、_]+")
_ENDS_ARTICLE = frozenset(("footer", "comments", "related", "pagination", "disclaimer", "reprint", "end_mark"))
_SHAPES = {
    "comma": re.compile(r"[,，、;]"),
    "quest": re.compile(r"(?:[?!…]|\.\.\.)$"),
    "colon": re.compile(":"),
    "colonend": re.compile(":$"),
    "bracket": re.compile(r"^[【\[(<].*[】\])>]$"),
    "quote": re.compile(r"[“「]"),
    "bullet": re.compile(r"^[-*•·▪■]"),
    "num": re.compile(r"^[(（]?[\d一二三四五六七八九十]{1,2}[.、)）]"),
    "numsp": re.compile(r"^\d{1,2} \S"),
    "time": re.compile(r"\d\d:\d\d|\d{1,2}-\d{1,2}$"),
    "figure": re.compile(r"\d%|\d亿|\d万"),
}
Scores = npt.NDArray[np.float64]
Features = dict[str, float]


@cache
def weights() -> dict[str, Any]:
    """The fitted weights, with how they were fitted."""
    loaded: dict[str, Any] = json.loads((files("index") / "lexicon" / "line_weights.json").read_text(encoding="utf-8"))
    return loaded


def first_features(lines: Sequence[TextLine], rules: Sequence[str | None]) -> list[Features]:
    """What the first model sees of each line.

    Args:
        lines: those of a page that are not blank.
        rules: the cleaning rule that knows each line by itself, if one does.
    """
    body = [line.is_body and rule is None for line, rule in zip(lines, rules, strict=True)]
    bodies = [n for n, b in enumerate(body) if b]
    first, last = (bodies[0], bodies[-1]) if bodies else (0, len(lines) - 1)
    counts = Counter(line.folded for line in lines)
    nearest = _distances(body)
    known = np.concatenate([[0], np.cumsum([rule is not None for rule in rules])])
    ended = False
    found = []
    for n, line in enumerate(lines):
        text = line.folded
        size = len(text)
        items = [x for x in _ITEMS.split(text) if x]
        f: Features = {name: 1.0 for name, shape in _SHAPES.items() if shape.search(text)}
        f.update(
            bias=1.0,
            rule=float(rules[n] is not None),
            body=float(line.is_body),
            ends=float(line.ends_sentence),
            loglen=math.log(size + 1) / 4,
            long=float(size >= LONG),
            short=float(size <= 6),
            items=min(len(items), 8) / 8,
            itemlen=min(sum(map(len, items)) / max(1, len(items)), 20) / 20,
            digits=sum(c.isdigit() for c in text) / size,
            latin=sum(c.isascii() and c.isalpha() for c in text) / size,
            symbols=min(len(_SYMBOLS.findall(text)), 3) / 3,
            head=float(n < first),
            tail=float(n > last),
            place=n / len(lines),
            distance=min(nearest[n], 10) / 10,
            headshort=float(n < first and size <= 12),
            tailopen=float(n > last and not line.ends_sentence),
            after=float(ended and n > first),
            density=float(known[min(len(lines), n + 6)] - known[max(0, n - 5)]) / 11,
            repeated=float(counts[text] > 1),
        )
        for step in (-3, -2, -1, 1, 2, 3):
            m = n + step
            if 0 <= m < len(lines):
                f[f"rule{step}"], f[f"body{step}"] = float(rules[m] is not None), float(body[m])
            else:
                f[f"out{step}"] = 1.0
        if not (line.is_body and size > LONG):
            f.update(_grams(text))
        ended = ended or rules[n] in _ENDS_ARTICLE
        found.append({name: value for name, value in f.items() if value})
    return found


def _distances(body: Sequence[bool]) -> list[int]:
    """How many lines away the nearest running text is."""
    far = len(body) + 10
    found = [far] * len(body)
    for order in (range(len(body)), range(len(body) - 1, -1, -1)):
        away = far
        for n in order:
            away = 0 if body[n] else away + 1
            found[n] = min(found[n], away)
    return found


def _grams(text: str) -> Features:
    """The characters of a line, alone and in pairs, and its two ends; digits are all alike."""
    plain = re.sub(r"\d+", "0", text if len(text) <= LONG else text[: LONG // 2] + text[-LONG // 2 :])
    weight = GRAM_WEIGHT / math.sqrt(max(4, len(text)))
    grams = Counter([f"^{plain[:2]}", f"${plain[-2:]}", *plain, *(plain[i : i + 2] for i in range(len(plain) - 1))])
    return {f"g:{gram}": min(n, 2) * weight for gram, n in grams.items()}


def second_features(first: Scores, shapes: Sequence[Features]) -> list[Features]:
    """What the second model sees: the shape of a line again, and the first model's scores around it."""
    found = []
    mean = float(first.mean()) if len(first) else 0.0
    for n, shape in enumerate(shapes):
        f = {name: value for name, value in shape.items() if not name.startswith("g:")}
        for step in range(-REACH, REACH + 1):
            if 0 <= n + step < len(first):
                f[f"score{step}"] = float(first[n + step])
        f["mean"] = mean
        below = first[n + 1 : n + 1 + AHEAD]
        f["below"] = float(below.mean()) if len(below) else 0.0
        found.append(f)
    return found


def dot(model: Mapping[str, float], rows: Sequence[Features]) -> Scores:
    """Log odds of each row under a linear model."""
    return np.array([sum(model.get(name, 0.0) * value for name, value in row.items()) for row in rows])


def scores(lines: Sequence[TextLine], rules: Sequence[str | None]) -> Scores:
    """How many log odds above the threshold each line is: positive ones look like furniture of a page."""
    fitted = weights()
    shapes = first_features(lines, rules)
    first = dot(fitted["first"], shapes)
    looks: Scores = dot(fitted["second"], second_features(first, shapes)) - fitted["threshold"]
    return looks
