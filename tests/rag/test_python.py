"""Three lines of Python: open an index, ask, and a notebook shows the answer."""

import re
import subprocess
import sys
import warnings
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from index.build import rebuild
from index.errors import BadSettings, IndexMissing
from index.settings import Settings
from rag import Assistant
from rag.values import Answer
from tests.fakes import FakeEncoder
from tests.web.fake_service import HOSTILE_CITATION, FakeService

PAGE = "# 星澜云\n\n2025年上半年，星澜云的调用量份额为49.2%。\n\n星澜云总部在杭州。\n"


@pytest.fixture
def index(fake_encoder: FakeEncoder, tmp_path: Path) -> Path:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "xinglan.md").write_text(PAGE, encoding="utf-8")
    made = tmp_path / "made"
    rebuild([tmp_path / "corpus"], Settings(index=made), lambda: fake_encoder)
    return made


def test_three_lines_answer_with_the_cited_characters(index: Path) -> None:
    assistant = Assistant.open(str(index), threshold=0.0)
    answer = assistant.ask("2025年上半年星澜云的调用量份额是多少？")
    assert isinstance(answer, Answer)
    assert "49.2%" in answer.text
    for c in answer.citations:
        assert assistant.document(c.doc_id).text[c.start : c.end] == c.quote


def test_importing_rag_is_instant_and_names_what_there_is() -> None:
    program = "import sys, rag; print({'numpy', 'rag.assistant'} & sys.modules.keys(), rag.Assistant.__module__)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set() rag.assistant\n"
    with pytest.raises(ImportError):
        from rag import Assistent  # noqa: F401


def test_settings_come_from_the_call_first_and_then_from_the_environment(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YUNTU_INDEX", str(index))
    monkeypatch.setenv("YUNTU_MAX_QUESTION_CHARS", "50")
    assert Assistant.open().max_question_chars == 50
    assert Assistant.open(index, max_question_chars=60).max_question_chars == 60


def test_what_cannot_be_opened_says_what_to_do(index: Path, tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match="yuntu rebuild"):
        Assistant.open(tmp_path / "nowhere")
    with pytest.raises(BadSettings, match="YUNTU_TOP_KK"):
        Assistant.open(index, top_kk=3)


def test_a_damaged_version_is_passed_over_and_that_is_said(index: Path, fake_encoder: FakeEncoder) -> None:
    first = Assistant.open(index).version
    (index.parent / "corpus" / "second.md").write_text("# 第二篇\n\n蓝桥云在2025年降价。\n", encoding="utf-8")
    rebuild([index.parent / "corpus"], Settings(index=index), lambda: fake_encoder)
    current = (index / "CURRENT").read_text().strip()
    (index / current / "passages.jsonl").write_bytes(b"{}")
    with pytest.warns(UserWarning, match=first) as told:
        assert Assistant.open(index).version == first
    assert told[0].filename == __file__  # it points at who asked


def test_a_sound_index_is_opened_without_a_word(index: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Assistant.open(index)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str | None] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src")]
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text += data


def shown(answer: Answer) -> _Tags:
    parser = _Tags()
    parser.feed(answer._repr_html_())
    return parser


def test_a_notebook_shows_the_text_its_table_and_every_source() -> None:
    answer = FakeService().ask("对比")
    html = shown(answer)
    assert html.tags.count("table") == 1
    assert html.tags.count("tr") == 3
    assert html.tags.count("li") == len(answer.citations) + 2  # and the two bullets
    for c in answer.citations:
        assert c.readable in html.text
        assert c.title in html.text
    assert html.text.count("摘要,非原文") == 1
    assert len(answer._repr_html_()) < 4000


def test_a_notebook_runs_nothing_that_a_document_says() -> None:
    answer = FakeService().ask("<script>alert(1)</script>")
    html = shown(answer)
    assert "script" not in html.tags
    assert "img" not in html.tags
    assert not html.links  # javascript: is no address
    assert HOSTILE_CITATION.readable in html.text
    assert '<script>alert("text")' not in answer._repr_html_()


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//elsewhere", "http://[", None])
def test_only_web_addresses_become_links(url: str | None) -> None:
    answer = FakeService().ask("规模")
    assert shown(answer).links == [answer.citations[0].url]
    assert not shown(replace(answer, citations=(replace(answer.citations[0], url=url),))).links


def test_the_page_in_the_documents_is_the_program() -> None:
    text = (Path(__file__).parents[2] / "docs" / "python.md").read_text(encoding="utf-8")
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        compile(block, "docs/python.md", "exec")
    assert 'Assistant.open("var/index").ask(' in text
