"""The editable word and rule files that ship inside the packages."""

import sys
from functools import cache
from importlib.resources import files
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@cache
def lexicon(package: str, name: str) -> dict[str, Any]:
    """`<package>/lexicon/<name>.toml`, read once."""
    return read(package, name)


def read(package: str, name: str) -> dict[str, Any]:
    """The same, read again. Raises: OSError; ValueError when it is no TOML."""
    return tomllib.loads((files(package) / "lexicon" / f"{name}.toml").read_text(encoding="utf-8"))
