"""The YAML block at the top of a Markdown file."""

import re
from typing import Any

import yaml

MAX_BLOCK = 20_000  # characters


class _PlainLoader(yaml.SafeLoader):
    """YAML without aliases: a few of them, nested, make gigabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Raises: YAMLError for an alias."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not read")
        return super().compose_node(parent, index)


def fields_in(block: str) -> Any:
    """A block of YAML as Python values. Raises: yaml.YAMLError, ValueError, RecursionError."""
    return yaml.load(block, Loader=_PlainLoader)  # noqa: S506  a SafeLoader


def front_matter_of(text: str) -> tuple[dict[str, Any], int] | None:
    """The YAML block at the top and where it ends, or None when there is none (a rule of dashes is not one).

    Raises: ValueError when the block begins with a field and cannot be read as YAML.
    """
    m = re.match(r"\ufeff?---[ \t]*\r?\n(.*?\n)---[ \t]*(?:\r?\n|$)", text[:MAX_BLOCK], re.DOTALL)
    if not m:
        return None
    try:
        fields = fields_in(m.group(1))
    except (yaml.YAMLError, ValueError, RecursionError) as e:  # ValueError: a date such as 2025-02-30
        if re.match(r"[a-z_]+:\s", m.group(1)) is None:
            return None
        raise ValueError(f"front matter: {' '.join(str(e).split())}") from e
    return (fields, m.end()) if isinstance(fields, dict) else None
