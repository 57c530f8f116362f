"""Question → grounded answer. Imports index, never web.

`from rag import Assistant; Assistant.open("var/index").ask("…")` is all that Python needs.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.assistant import Assistant

__all__ = ["Assistant"]


def __getattr__(name: str) -> Any:
    """`Assistant` brings NumPy and more, so it is imported when it is asked for."""
    if name == "Assistant":
        from rag.assistant import Assistant

        return Assistant
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
