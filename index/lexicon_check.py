"""Whether the editable word files can be read and say one thing: what `yuntu lexicon check` prints."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from index.data import read
from index.fold import fold_text

FILES = (
    ("index", "aliases"),
    ("index", "anaphors"),
    ("index", "cleaning"),
    ("index", "figures"),
    ("index", "sources"),
    ("rag", "question"),
    ("rag", "board"),
)
_PATTERNS = {
    ("rag", "question"): "",
    ("rag", "board"): "",
    ("index", "figures"): "scope",
    ("index", "sources"): "",
    ("index", "cleaning"): "instruction",
}  # tables whose strings are patterns; "": all


def problems() -> list[str]:
    """What is wrong with the word files, one line each; empty when nothing is."""
    found: list[str] = []
    for package, name in FILES:
        try:
            table = read(package, name)
        except (OSError, ValueError) as e:
            found.append(f"{package}/lexicon/{name}.toml: 读不了 (unreadable): {e}")
            continue
        found += [f"{package}/lexicon/{name}.toml: {p}" for p in _problems_in(table, _PATTERNS.get((package, name)))]
        if name == "aliases":
            found += [f"{package}/lexicon/{name}.toml: {p}" for p in _problems_of_names(table)]
    return found


def _problems_in(table: dict[str, Any], patterns: str | None) -> Iterator[str]:
    for where, value in _strings(table, ""):
        if not value.strip():
            yield f"{where}: 空的 (empty)"
        elif patterns is not None and where.startswith(patterns) and "[" not in where:
            try:
                re.compile(value)
            except re.error as e:
                yield f"{where}: 不是正则 (no pattern): {e}"


def _problems_of_names(table: dict[str, Any]) -> Iterator[str]:
    owners: dict[str, list[str]] = defaultdict(list)
    for group in table.get("entities", []):
        for form in dict.fromkeys(map(fold_text, group)):
            owners[form].append(group[0])
    for form, groups in owners.items():
        if len(groups) > 1:
            yield f"entities: {form} 同在几组 (in several groups): {'、'.join(groups)}"
    for english in table.get("glossary", {}):
        try:
            re.compile(english)
        except re.error as e:
            yield f"glossary.{english}: 不是正则 (no pattern): {e}"


def _strings(value: Any, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _strings(inner, f"{where}.{key}".lstrip("."))
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield from _strings(inner, f"{where}[{n}]")
