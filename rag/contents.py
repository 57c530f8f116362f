"""What an index holds, looked up: documents, what cleaning left out of them, reprints, figures."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from index.aliases import known_names
from index.errors import DocumentMissing, IndexDamaged, IndexUnverified
from index.snapshot import Snapshot, verify
from index.values import Document, Removal
from rag.board import Chart, about, board
from rag.coverage import Coverage, coverage
from rag.ledger import as_row, matching
from rag.make_questions import Made, questions_from


class Contents:
    """One opened version of the index."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._damage: IndexDamaged | None = None
        self._verified = snapshot.verified

    @property
    def version(self) -> str:
        """The index version all of it comes from.

        Raises: IndexDamaged once it is known to be, StoreUnavailable while what searches it does not answer.
        """
        if self._damage is not None:
            raise self._damage
        self._snapshot.search.check()
        return self._snapshot.version

    def verify(self, root: Path) -> None:
        """Hashes the files of a large version, which opening did not wait for; a small one's were hashed then.

        Raises: IndexDamaged; from then on every answer does.
        """
        try:
            if not self._verified:
                verify(root, self._snapshot.version, but=self._snapshot.elsewhere)
        except IndexDamaged as e:
            self._damage = e
            raise
        self._verified = True

    @property
    def built_at(self) -> float:
        """When the version was built, in seconds since 1970."""
        return self._snapshot.built_at

    def check(self) -> None:
        """Whether what it says can be relied on. Raises: IndexDamaged, IndexUnverified, StoreUnavailable."""
        _ = self.version
        if not self._verified:
            raise IndexUnverified(self._snapshot.version)

    def documents(self) -> list[Document]:
        """Every document, in corpus order."""
        return list(self._snapshot.documents.values())

    def document(self, doc_id: str) -> Document:
        """One document. Raises: DocumentMissing."""
        try:
            return self._snapshot.documents[doc_id]
        except KeyError:
            raise DocumentMissing(doc_id) from None

    def dropped(self, doc_id: str) -> Sequence[Removal]:
        """What cleaning left out of a document, in reading order. Raises: DocumentMissing."""
        self.document(doc_id)
        return self._snapshot.removals.get(doc_id, ())

    def reprints(self) -> tuple[tuple[str, ...], ...]:
        """The doc_ids that are one text, group by group, the original first."""
        return self._snapshot.reprints

    def figures(
        self,
        *,
        subject: str | None = None,
        attribute: str | None = None,
        period: str | None = None,
        doc: str | None = None,
    ) -> list[dict[str, Any]]:
        """The rows of the ledger that fit all that is given (rag.ledger)."""
        with known_names(self._snapshot.names):
            found = matching(self._snapshot.figures, subject=subject, attribute=attribute, period=period, doc=doc)
        return [as_row(f, self._snapshot.documents[f.doc_id]) for f in found]

    @cached_property
    def _board(self) -> tuple[Chart, ...]:
        return board(self._snapshot.figures, self._snapshot.documents, self._snapshot.reprints)

    def board(self, subject: str | None = None) -> tuple[Chart, ...]:
        """The charts of the ledger (rag.board); only those that show `subject`, in any form of its name."""
        with known_names(self._snapshot.names):
            return about(self._board, subject)

    def examples(self) -> list[str]:
        """Questions the documents themselves say they answer; else one about each of a few titles."""
        own = [q for d in self._snapshot.documents.values() for q in d.examples[:1]]
        return own[:6] or [f"《{d.title}》讲了什么?" for d in self.documents()[:3]]

    def coverage(self, subject: str | None = None) -> Coverage:
        """Who × what × when, counted from the ledger."""
        with known_names(self._snapshot.names):
            return coverage(self._snapshot.figures, subject=subject)

    def questions(self, count: int) -> list[Made]:
        """Candidate questions with their answers, for review (rag.make_questions)."""
        with known_names(self._snapshot.names):
            return questions_from(self._snapshot, count)
