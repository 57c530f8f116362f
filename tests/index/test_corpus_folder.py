"""Pages and files into the corpus folder and out of it."""

from pathlib import Path

import pytest

from index.build import cleaned
from index.corpus_folder import Added, add, remove
from index.errors import CannotAdd, DocumentMissing, FetchFailed
from index.fetch import Fetched
from index.formats.worker import Limits
from index.load import load
from tests.index.formats import made

SENTENCE = "二〇二五年上半年，衡山云在公有云市场的份额为31.5%，比去年同期高四个百分点。"
URL = "https://news.example.com/a.html"
PAGE = f"""<html><head><title>衡山云半年报</title><meta property="og:site_name" content="远山网">
<meta property="article:published_time" content="2025-08-12"></head><body><nav><a href="/">首页</a></nav>
<article><h1>衡山云半年报</h1><p>{SENTENCE}</p><p>{SENTENCE[::-1]}</p><p>免责声明：本文不是建议。</p></article></body></html>"""


def web(content: bytes = PAGE.encode(), kind: str = "text/html", url: str = URL):  # type: ignore[no-untyped-def]
    return lambda asked, *, allow_private: Fetched(url, content, kind)


def put(source: str, corpus: Path, **options: object) -> Added:
    return add(source, corpus, Limits(), **{"get": web(), **options})  # type: ignore[arg-type]


def test_a_page_becomes_markdown_with_front_matter_and_reads_back_the_same(tmp_path: Path) -> None:
    added = put(URL, tmp_path)
    assert added.path == tmp_path / "衡山云半年报.md"
    assert added.dropped["page_frame"] > 0
    (document,) = load([tmp_path]).documents
    assert (document.title, document.publisher, document.published) == ("衡山云半年报", "远山网", "2025-08-12")
    assert document.url == URL
    assert "retrieved: '20" in document.text
    readable = cleaned(document).readable.text
    assert SENTENCE in readable
    assert "首页" not in document.text
    assert "免责声明" in document.text  # in the file, so that the audit shows it and it can be kept
    assert "免责声明" not in readable


def test_nothing_is_written_when_it_is_only_looked_at(tmp_path: Path) -> None:
    assert SENTENCE in put(URL, tmp_path / "corpus", dry_run=True).kept_text
    assert not (tmp_path / "corpus").exists()


def test_a_page_that_is_there_already_is_not_written_over_unless_asked(tmp_path: Path) -> None:
    first = put(URL, tmp_path)
    with pytest.raises(CannotAdd, match=r"already there.*--replace"):
        put(URL, tmp_path)
    first.path.rename(tmp_path / "other.md")  # under another name, it is still that address
    with pytest.raises(CannotAdd, match=r"other\.md"):
        put(URL, tmp_path)
    assert put(URL, tmp_path, replace=True).path.exists()


def test_a_page_that_has_become_another_format_does_not_write_over_the_old_file(tmp_path: Path) -> None:
    first = put(URL, tmp_path)
    old = first.path.read_bytes()
    pdf = web(made.pdf([SENTENCE * 3]), "application/pdf")
    with pytest.raises(CannotAdd, match=rf"another format.*yuntu remove {first.path.stem}"):
        put(URL, tmp_path, get=pdf, replace=True)
    assert first.path.read_bytes() == old


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "big5", "utf-16"])
def test_fetched_text_is_read_in_its_encoding_and_known_again_by_its_address(tmp_path: Path, encoding: str) -> None:
    said = "遠山公司的市場份額在上半年達到百分之三十一。" * 5
    page = web(said.encode(encoding), "text/plain", "https://a.example.com/x.txt")
    put("https://a.example.com/x.txt", tmp_path, get=page)
    (document,) = load([tmp_path]).documents
    assert cleaned(document).readable.text.strip() == said
    with pytest.raises(CannotAdd, match="already there"):
        put("https://a.example.com/x.txt", tmp_path, get=page)


def test_a_file_with_pages_is_copied_as_it_is_with_a_sidecar(tmp_path: Path) -> None:
    raw = made.pdf([SENTENCE * 3], title="年报")
    added = put(URL, tmp_path, get=web(raw, "application/octet-stream", "https://a.example.com/x.pdf"))
    assert added.path.read_bytes() == raw
    (document,) = load([tmp_path]).documents
    assert (document.title, document.url) == ("年报", "https://a.example.com/x.pdf")
    assert document.places
    source = tmp_path / "mine.xlsx"
    source.write_bytes(made.sheets({"表": [["名", "数"], ["甲", 1]]}))
    copied = put(str(source), tmp_path / "corpus")
    assert copied.path.read_bytes() == source.read_bytes()


@pytest.mark.parametrize(
    "title", ["../../etc/passwd", "a/b", "..", "", "README", "年报\x07", "长" * 300, "<script>", "CON: |?*"]
)
def test_no_title_leads_out_of_the_folder(tmp_path: Path, title: str) -> None:
    page = PAGE.replace("衡山云半年报", title.replace("<", "&lt;"))
    corpus = tmp_path / "corpus"
    added = put(URL, corpus, get=web(page.encode()))
    assert added.path.parent == corpus
    assert added.path.resolve().is_relative_to(corpus.resolve())
    assert len(load([corpus]).documents) == 1


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("nowhere.pdf", "no such file"),
        ("a\0b.txt", "no such file"),
        ("made.png", "unknown format"),
        ("made.jsonl", "many documents"),
        ("made.docx", "wrong extension"),
    ],
)
def test_what_cannot_be_added_is_said_and_nothing_written(tmp_path: Path, source: str, said: str) -> None:
    path = tmp_path / source if "\0" not in source else Path(source)
    if source.startswith("made"):
        path.write_text("文字")
    with pytest.raises(CannotAdd, match=said):
        put(str(path), tmp_path / "corpus")
    assert not (tmp_path / "corpus").exists()


def test_a_page_of_an_unknown_kind_and_one_that_cannot_be_fetched(tmp_path: Path) -> None:
    with pytest.raises(CannotAdd, match="image/png"):
        put(URL, tmp_path, get=web(b"\x89PNG", "image/png"))

    def fails(url: str, *, allow_private: bool) -> Fetched:
        raise FetchFailed(url, "404")

    with pytest.raises(FetchFailed):
        put(URL, tmp_path, get=fails)
    assert not list(tmp_path.iterdir())


def test_what_is_removed_is_kept_aside_and_not_read_again(tmp_path: Path) -> None:
    put(URL, tmp_path)
    raw = made.pdf([SENTENCE * 3], title="年报")
    put(URL, tmp_path, get=web(raw, "application/pdf", "https://a.example.com/x.pdf"))
    moved = remove("年报", tmp_path, Limits())
    assert moved == tmp_path / "_removed" / "年报.pdf"
    assert moved.read_bytes() == raw
    assert moved.with_name("年报.pdf.yaml").exists()
    assert [d.doc_id for d in load([tmp_path]).documents] == ["衡山云半年报"]
    with pytest.raises(DocumentMissing):
        remove("年报", tmp_path, Limits())


def test_removing_twice_under_one_name_loses_neither(tmp_path: Path) -> None:
    for text in ("甲。", "乙。"):
        (tmp_path / "a.txt").write_text(text)
        (tmp_path / "b.txt").write_text("丙。")
        remove("a", tmp_path, Limits())
    kept = sorted(p.read_text() for p in (tmp_path / "_removed").iterdir())
    assert kept == sorted(["甲。", "乙。"])


def test_one_line_of_a_file_is_not_removed_for_you(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": "x", "text": "甲。"}\n')
    with pytest.raises(CannotAdd, match="edit the file"):
        remove("x", tmp_path, Limits())


def test_the_page_itself_is_kept_beside_and_never_read(tmp_path: Path) -> None:
    put(URL, tmp_path)
    assert (tmp_path / "_sources" / "衡山云半年报.html").read_text(encoding="utf-8") == PAGE
    assert len(load([tmp_path]).documents) == 1


def test_another_page_of_the_same_title_takes_another_name_and_replaces_nothing(tmp_path: Path) -> None:
    first = put(URL, tmp_path).path
    second = put("x://", tmp_path, get=web(url="https://other.example.com/b"), replace=True).path
    assert (
        {p.name for p in tmp_path.glob("*.md")} == {"衡山云半年报.md", "衡山云半年报-2.md"} == {first.name, second.name}
    )
    changed = PAGE.replace("衡山云半年报", "衡山云新的半年报")
    again = put(URL, tmp_path, get=web(changed.encode()), replace=True)
    assert again.path == first  # of one address, one document, whatever its title is now
    assert len(load([tmp_path]).documents) == 2


def test_a_page_does_not_say_whose_it_is(tmp_path: Path) -> None:
    spoof = PAGE.replace("<title>", '<link rel="canonical" href="https://www.stats.gov.cn/x.html"><title>')
    put(URL, tmp_path, get=web(spoof.encode()))
    (document,) = load([tmp_path]).documents
    assert document.url == URL
    assert document.source_kind != "official"
    claims = f"---\nurl: https://www.gov.cn/\nsource_kind: official\n---\n{SENTENCE}\n"
    put(URL, tmp_path / "b", get=web(claims.encode(), "text/markdown", "https://evil.example.com/a.md"))
    (document,) = load([tmp_path / "b"]).documents
    assert (document.source_kind, document.url) == ("press", "https://evil.example.com/a.md")


def test_a_file_with_front_matter_keeps_it_and_a_taken_name_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "云.md"
    source.write_text(f"---\ntitle: 题\nsource_kind: digest\n---\n{SENTENCE}\n", encoding="utf-8")
    corpus = tmp_path / "corpus"
    assert put(str(source), corpus).path.read_bytes() == source.read_bytes()
    (tmp_path / "云.csv").write_text("公司,收入\n甲,1\n")
    with pytest.raises(CannotAdd, match="already there"):  # two files of one stem would be one id
        put(str(tmp_path / "云.csv"), corpus)
