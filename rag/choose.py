"""Ranked sentences → what the answer says, by kind of question."""

from collections.abc import Sequence

from index.snapshot import Snapshot
from rag.evidence import Scored, is_heading
from rag.statements import FOCUS_CHARS, Statement, focus, in_script, same_content
from rag.understand import Question

# how many sentences an answer of each kind may hold, and how far (in log odds) the last may trail the first
LIMITS = {"fact": (2, 2.0), "list": (4, 3.0), "explain": (3, 3.0), "compare": (4, 3.0), "conflict": (4, 3.5), "refusal": (2, 1.5)}


def kind_of(question: Question) -> str:
    """The kind of answer a question calls for."""
    wants = question.wants
    if "conflict" in wants:
        return "conflict"
    if "compare" in wants:
        return "compare"
    if "list" in wants:
        return "list"
    if wants & {"reason", "method", "define"}:
        return "explain"
    return "fact"


def choose(
    question: Question, ranked: Sequence[Scored], snapshot: Snapshot, lang: str, *, refused: bool
) -> tuple[str, list[Statement]]:
    """The kind of the answer and its statements, in the order they are said."""
    kind = "refusal" if refused else kind_of(question)
    most, trail = LIMITS[kind]
    picked: list[Scored] = []
    for candidate in ranked:
        if is_heading(candidate) or any(same_content(candidate.sentence.folded, p.sentence.folded) for p in picked):
            continue
        if picked and (len(picked) >= most or candidate.score < picked[0].score - trail):
            break
        picked.append(candidate)
    if kind in ("list", "explain"):  # what stands together is read together
        home = [c for c in picked if c.row == picked[0].row]
        picked = sorted(home, key=lambda c: c.place) + [c for c in picked if c.row != picked[0].row]
    width = FOCUS_CHARS if kind in ("fact", "refusal") else 200
    return kind, [
        Statement(in_script(focus(c.sentence, question, width), lang), c.sentence, snapshot.documents[c.sentence.doc_id])
        for c in picked
    ]
