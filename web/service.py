"""What the doors ask of the engine behind them: a Protocol, so that tests pass a fake and `serve` the real one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from index.values import Document, Hit, Removal
from rag.board import Chart
from rag.coverage import Coverage
from rag.values import Answer


class Service(Protocol):
    """One index being served. Called from many threads at once.

    Every method raises a YuntuError when the index cannot be read (IndexMissing, IndexDamaged …): `web/` answers 503.
    """

    @property
    def version(self) -> str:
        """The index version that answers; raise YuntuError here while there is none."""

    @property
    def built_at(self) -> float:
        """When the version was built, in seconds since 1970."""

    def warm_up(self) -> None:
        """Loads what the first question would have to wait for."""

    def verify(self, root: Path) -> None:
        """Hashes what opening the index of the folder `root` did not wait for. Raises: IndexDamaged."""

    def check(self) -> None:
        """Whether answers can be relied on: the index is verified, the encoder encodes. Raises: YuntuError if not."""

    def remembered(self) -> tuple[int, int, int]:
        """Answers given from memory, answers worked out, and how many are in memory."""

    @property
    def max_question_chars(self) -> int:
        """Longer questions are turned away at the door with 413."""

    def ask(self, question: str, turns: Sequence[str] = (), lang: str = "auto", top_k: int | None = None) -> Answer:
        """Answers `question`; `turns` are the earlier questions of the conversation, oldest first."""

    def search(self, query: str, top_k: int) -> list[Hit]:
        """The `top_k` best passages, best first."""

    def documents(self) -> list[Document]:
        """Every document of the index, in the order the list page shows them."""

    def document(self, doc_id: str) -> Document:
        """One document.

        Raises: DocumentMissing.
        """

    def dropped(self, doc_id: str) -> Sequence[Removal]:
        """What cleaning left out of that document, in any order.

        Raises: DocumentMissing.
        """

    def reprints(self) -> Sequence[Sequence[str]]:
        """The doc_ids that are one text, group by group, the original first."""

    def figures(
        self, *, subject: str | None, attribute: str | None, period: str | None, doc: str | None
    ) -> list[dict[str, Any]]:
        """The rows of the ledger that fit all that is given, with the fields of rag.ledger.FIELDS."""

    def suggestions(self, answer: Answer, turns: Sequence[str] = ()) -> list[str]:
        """A few questions near to an answer's own that the corpus answers; may take a second."""

    def coverage(self, subject: str | None = None) -> Coverage:
        """Who × what × when, counted from the ledger."""

    def board(self, subject: str | None = None) -> Sequence[Chart]:
        """The charts of the ledger, the best evidenced first; only those that show `subject`, by any of its names."""

    def examples(self) -> list[str]:
        """A few questions this corpus can answer, for the start page."""
