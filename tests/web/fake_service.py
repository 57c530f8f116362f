"""A service of four small documents, for the door's tests: no index, no encoder, answers by a word of the question."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from index.aliases import known_names
from index.errors import DocumentMissing, IndexDamaged, IndexMissing
from index.values import Document, Figure, Hit, Passage, Removal
from rag.board import Chart, about, board
from rag.coverage import Coverage, coverage
from rag.ledger import as_row, matching
from rag.progress import STAGES, say, tell
from rag.values import Answer, Citation

IDC = Document(
    doc_id="idc-2025h1",
    title="2025上半年中国AI公有云服务市场",
    text="# 2025上半年中国AI公有云服务市场\n\n"
    "IDC：2025年上半年，中国AI公有云服务市场规模达223亿元。\n其中阿里云占24.6%，居第一。\n",
    publisher="IDC",
    published="2025-10-16",
    url="https://example.org/idc?a=1&b=2",
    source_kind="research",
)
DIGEST = Document(
    doc_id="摘要/阿里云 2025?#100%",
    title="阿里云份额（摘要）",
    text="我们的摘要：某机构称阿里云以35.8%居首，口径含模型服务。",
    publisher="某咨询机构",
    source_kind="digest",
)
MESSY = Document(
    doc_id="香港報告",
    title="雲端市場觀察",
    text="點擊領取優惠券！！！\r\n中國(guó)的雲端市場正在成長，\r\n2024年規模約3,000億元。\r\n版權所有\r\n"
    + "補充說明。" * 2000,
    publisher="香港觀察",
    published="2025-03",
    lang="zh-Hant",
    source_kind="self-media",
)
HOSTILE = Document(
    doc_id="""<script>alert("x")</script>&'\"""",
    title="""<img src=x onerror=alert(1)>&"'""",
    text="""<script>alert("text")</script> & "quoted" 'words' </mark><b>bold</b>""",
    publisher="<b>&\"'",
    published='<i>"2025"',
    url="javascript:alert(1)",
    source_kind="seo",
)
DOCUMENTS = (IDC, DIGEST, MESSY, HOSTILE)
FIGURES = (
    Figure(
        "idc-2025h1:1",
        IDC.doc_id,
        "中国AI公有云服务",
        "市场规模",
        "223亿元",
        2.23e10,
        "元",
        None,
        "2025H1",
        "IDC",
        "IDC",
        23,
        53,
    ),
    Figure("idc-2025h1:2", IDC.doc_id, "阿里云", "占比", "24.6%", 0.246, "%", None, "2025H1", "=IDC", "IDC", 54, 69),
)
JUNK = "點擊領取優惠券！！！\r\n"
MESSY_QUOTE = "中國(guó)的雲端市場正在成長，\r\n2024年規模約3,000億元。"


def cite(marker: int, document: Document, quote: str, readable: str | None = None) -> Citation:
    start = document.text.index(quote)
    return Citation(
        marker,
        document.doc_id,
        document.title,
        document.publisher,
        document.published,
        document.url,
        document.source_kind,
        start,
        start + len(quote),
        quote,
        readable or quote,
    )


IDC_CITATION = cite(1, IDC, "2025年上半年，中国AI公有云服务市场规模达223亿元。")
SHARE_CITATION = cite(1, IDC, "其中阿里云占24.6%，居第一。")
DIGEST_CITATION = cite(2, DIGEST, "某机构称阿里云以35.8%居首，口径含模型服务。")
MESSY_CITATION = cite(1, MESSY, MESSY_QUOTE, "中國的雲端市場正在成長，2024年規模約3,000億元。")
HOSTILE_CITATION = cite(1, HOSTILE, """<script>alert("text")</script> & "quoted" 'words' </mark>""")
TABLE = (
    "两家机构的说法不一：\n| 机构 | 阿里云份额 | 口径 |\n| --- | ---: | --- |\n"
    "| IDC | 24.6% [1] | AI 公有云服务 |\n| 某咨询机构 | 35.8% [2] | 含模型服务 |\n\n"
    "- 口径不同，不能直接相比\n- 没有第三个来源 [3]"
)


class FakeService:
    """Answers by a word of the question and remembers what it was asked."""

    version = "v-fake-1"
    max_question_chars = 200
    built_at = 1.0

    def warm_up(self) -> None:
        pass

    def verify(self, root: Path) -> None:
        pass

    def check(self) -> None:
        self.documents()

    def remembered(self) -> tuple[int, int, int]:
        return 1, len(self.asked), 1

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[str, ...], str, int | None]] = []
        self.ready = True

    def ask(self, question: str, turns: Sequence[str] = (), lang: str = "auto", top_k: int | None = None) -> Answer:
        self.asked.append((question, tuple(turns), lang, top_k))
        for stage in STAGES:
            tell(stage, question)
            if "写出来" in question and stage == "compose":  # as a language model does
                for sentence in ("第一句<b>是</b>这样。[1]", "第二句也是。[1]"):
                    say(sentence)
                    time.sleep(0.2)
            if "慢" in question:
                time.sleep(0.3)
        if "崩溃" in question:
            raise RuntimeError("secret detail of the crash")
        if "没有索引" in question:
            raise IndexMissing(Path("var/index"))
        if "坏索引" in question:
            raise IndexDamaged("passages.jsonl")
        spoken = "en" if lang == "en" or question.isascii() else lang if lang != "auto" else "zh-Hans"
        if "股票" in question:
            text = "资料库里没有对股票的建议。[1]"
            return self._answer(question, turns, "refusal", text, (SHARE_CITATION,), spoken, reason="advice")
        if "对比" in question:
            citations = (SHARE_CITATION, DIGEST_CITATION)
            return self._answer(question, turns, "conflict", TABLE, citations, spoken)
        if "香港" in question:
            return self._answer(question, turns, "fact", "約3,000億元（2024年）。[1]", (MESSY_CITATION,), spoken)
        if "<" in question:
            return self._answer(question, turns, "<kind>", f"{question}[1]", (HOSTILE_CITATION,), spoken)
        text = "2025年上半年，中国AI公有云服务市场规模达223亿元（IDC）。[1]\n第二行没有出处[9]。"
        return self._answer(question, turns, "fact", text, (IDC_CITATION,), spoken)

    def _answer(
        self,
        question: str,
        turns: Sequence[str],
        kind: str,
        text: str,
        citations: tuple[Citation, ...],
        lang: str,
        reason: str | None = None,
    ) -> Answer:
        return Answer(
            question=question,
            understood_as=f"{turns[-1]} {question}" if turns else question,
            kind=kind,
            text=text,
            refused=reason is not None,
            reason=reason,
            citations=citations,
            figures=(),
            newest_evidence=max((c.published for c in citations if c.published), default=None),
            index_version=self.version,
            mode="no-reader",
            timings_ms={"total": 1.0},
            support=0.9,
            lang=lang,
        )

    def figures(
        self, *, subject: str | None, attribute: str | None, period: str | None, doc: str | None
    ) -> list[dict[str, Any]]:
        found = matching(FIGURES, subject=subject, attribute=attribute, period=period, doc=doc)
        return [as_row(f, next(d for d in DOCUMENTS if d.doc_id == f.doc_id)) for f in found]

    def search(self, query: str, top_k: int) -> list[Hit]:
        text = IDC.text
        passage = Passage("idc-2025h1#0", IDC.doc_id, 0, len(text), text, text.lower(), "2025上半年")
        return [Hit(passage, 0.75, 0.88, 12.5)][:top_k]

    def documents(self) -> list[Document]:
        if not self.ready:
            raise IndexMissing(Path("var/index"))
        return list(DOCUMENTS)

    def document(self, doc_id: str) -> Document:
        for document in DOCUMENTS:
            if document.doc_id == doc_id:
                return document
        raise DocumentMissing(doc_id)

    def dropped(self, doc_id: str) -> list[Removal]:
        if self.document(doc_id) is not MESSY:
            return []
        pinyin, footer = MESSY.text.index("(guó)"), MESSY.text.index("版權所有")
        return [  # out of order, as a service may give them
            Removal(footer, footer + 4, "footer"),
            Removal(pinyin, pinyin + len("(guó)"), "stray-pinyin"),
            Removal(0, len(JUNK), "coupon-line"),
        ]

    def reprints(self) -> list[tuple[str, ...]]:
        return [(IDC.doc_id, MESSY.doc_id)]

    def suggestions(self, answer: Answer, turns: Sequence[str] = ()) -> list[str]:
        return [] if "没有建议" in answer.question else ["2025年上半年阿里云占比是多少？", "对比两家机构"]

    def coverage(self, subject: str | None = None) -> Coverage:
        with known_names(()):
            return coverage(FIGURES, subject=subject)

    def board(self, subject: str | None = None) -> tuple[Chart, ...]:
        return about(board(FIGURES, {d.doc_id: d for d in DOCUMENTS}), subject)

    def examples(self) -> list[str]:
        return ["2025年上半年中国AI公有云市场规模是多少？", "对比两家机构说的阿里云份额", "How large is the market?"]
