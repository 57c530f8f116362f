"""A service whose ledger makes one chart of each kind, over invented companies, and one of hostile strings."""

from typing import Any

from index.errors import DocumentMissing
from index.values import Document, Figure
from rag.board import Chart, about, board
from rag.ledger import as_row, matching
from tests.web.fake_service import FakeService

FIRST = Document(
    "青禾/2025 上半年?#1",
    "云市场半年报",
    "# 云市场半年报\n\n云衡研究：2025年上半年，按调用量算，青禾云占49.2%，白鹭云占27%。\n"
    "远望咨询按全链条收入算，白鹭云占35.8%，青禾云占14.8%。\n"
    "青禾助手的日均调用量，2024年5月为1200亿次。\n到2025年9月已超30万亿次，预计2026年9月达到90万亿次。\n",
    publisher="甲刊",
    published="2025-10-01",
)
SECOND = Document(
    "second",
    "另一份",
    "2024年6月，青禾助手有用户2751万，白鹭助手有用户1500万至1750万。\n后来有人说，青禾助手那时有用户4000万。\n"
    "到2024年11月，青禾助手的用户为5600万。",
    publisher="<b>乙刊</b>",
    published="2025-02-01",
    source_kind="self-media",
)
THIRD = Document("third", "第三份", "2024年6月，青禾助手的用户其实是9000万。", publisher="丙刊", published="2025-03-01")
HOSTILE = Document(
    """<script>alert("x")</script>&'\"""",
    "<img src=x onerror=alert(1)>",
    "<script>甲</script>的收入为5亿元，=cmd()的收入为3亿元。",
    publisher="""<svg onload=alert(1)>&"'""",
)
DOCUMENTS = (FIRST, SECOND, THIRD, HOSTILE)


def figure(n: int, document: Document, mark: str, subject: str, attribute: str, number: Any, **given: Any) -> Figure:
    """A figure whose sentence is the line or clause of `document` that holds `mark`."""
    place = document.text.index(mark)
    start = document.text.rfind("\n", 0, place) + 1
    end = document.text.find("\n", place) if "\n" in document.text[place:] else len(document.text)
    fields: dict[str, Any] = {"unit": None, "hedge": None, "as_of": None, "scope": None, "said_by": None} | given
    return Figure(
        f"{document.doc_id}:{n}", document.doc_id, subject, attribute, mark, number, start=start, end=end, **fields
    )


_CALLS = {"unit": "%", "as_of": "2025H1", "scope": "云衡研究;按调用量", "said_by": "云衡研究"}
_REVENUE = {"unit": "%", "as_of": "2025H1", "scope": "远望咨询;全链条收入", "said_by": "远望咨询"}
FIGURES = (
    figure(1, FIRST, "49.2%", "青禾云", "调用量份额", 0.492, **_CALLS),
    figure(2, FIRST, "27%", "白鹭云", "调用量份额", 0.27, **_CALLS),
    figure(3, FIRST, "35.8%", "白鹭云", "份额", 0.358, **_REVENUE),
    figure(4, FIRST, "14.8%", "青禾云", "份额", 0.148, **_REVENUE),
    figure(5, FIRST, "1200亿次", "青禾助手", "日均调用量", 1.2e11, unit="次", as_of="2024-05"),
    figure(6, FIRST, "30万亿次", "青禾助手", "日均调用量", 3e13, unit="次", as_of="2025-09", hedge="超"),
    figure(7, FIRST, "90万亿次", "青禾助手", "日均调用量", 9e13, unit="次", as_of="2026-09", scope="预测"),
    figure(8, SECOND, "2751万", "青禾助手", "用户数", 2.751e7, as_of="2024-06"),
    figure(9, SECOND, "1500万至1750万", "白鹭助手", "用户数", (1.5e7, 1.75e7), as_of="2024-06"),
    figure(10, SECOND, "5600万", "青禾助手", "用户数", 5.6e7, as_of="2024-11"),
    figure(11, THIRD, "9000万", "青禾助手", "用户数", 9e7, as_of="2024-06"),
    figure(12, HOSTILE, "5亿元", "<script>甲</script>", "收入", 5e8, unit="元", as_of="2024", scope="=1+1;<i>口径</i>"),
    figure(13, HOSTILE, "3亿元", "=cmd", "收入", 3e8, unit="元", as_of="2024", scope="=1+1;<i>口径</i>"),
)


class MarketService(FakeService):
    """… and otherwise the small fake."""

    def __init__(self, figures: tuple[Figure, ...] = FIGURES) -> None:
        super().__init__()
        self.ledger = figures

    def board(self, subject: str | None = None) -> tuple[Chart, ...]:
        return about(board(self.ledger, {d.doc_id: d for d in DOCUMENTS}), subject)

    def documents(self) -> list[Document]:
        return list(DOCUMENTS)

    def document(self, doc_id: str) -> Document:
        found = next((d for d in DOCUMENTS if d.doc_id == doc_id), None)
        if found is None:
            raise DocumentMissing(doc_id)
        return found

    def dropped(self, doc_id: str) -> list[Any]:
        return []

    def figures(
        self, *, subject: str | None, attribute: str | None, period: str | None, doc: str | None
    ) -> list[dict[str, Any]]:
        found = matching(self.ledger, subject=subject, attribute=attribute, period=period, doc=doc)
        return [as_row(f, self.document(f.doc_id)) for f in found]
