"""Yuntu with its reader: the passages in the order in which answers are looked for in them."""

from collections.abc import Callable
from typing import Any

import yuntu


def build(documents: list[dict[str, Any]], model: str) -> Callable[[str, int], list[str]]:
    """See yuntu."""
    return yuntu.build(documents, model, read=True)
