"""PDF → text (PDFium): pages kept, lines joined into paragraphs, running headers and footers marked."""

import re
from collections import Counter
from collections.abc import Sequence

import pypdfium2

from index.formats.extracted import Extracted, TextBuilder, titled

EDGE_LINES = 2  # how many lines at the top and at the bottom of a page can be a running header or footer
MIN_PAGES = 3  # fewer cannot show that a line runs
MAX_PAGES = 2000
FULL_LINE = 0.8  # a line shorter than this share of the page's longest lines ends its paragraph
MIN_FULL = 32  # columns: shorter lines are not broken for want of room
_CJK = r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]"
_PAGE_NUMBER = re.compile(r"[-–—·\s第]*\d{1,4}\s*(?:页|頁)?\s*(?:[/／]|共|of)?\s*\d{0,4}\s*(?:页|頁)?[-–—·\s]*")
_PARAGRAPH_END = re.compile(r"[。！？!?：:；;…][”’」』）)]*$")
_OPENS = re.compile(
    r"^\s*(?:[•●■◆▪‣·\-–—*]\s|[（(]?[\d一二三四五六七八九十]{1,3}[)）.、．]|第[一二三四五六七八九十\d]+[章节節条條部])"
)


def read(raw: bytes) -> Extracted:
    """The text of a PDF, page by page.

    Raises: ValueError when it is damaged, encrypted, or holds pictures only.
    """
    try:
        pdf = pypdfium2.PdfDocument(raw)
    except pypdfium2.PdfiumError as e:
        if "assword" in str(e):
            raise ValueError("加密的 PDF (encrypted): 请先去掉密码") from e
        raise ValueError(f"PDF 已损坏 (damaged): {e}") from e
    if len(pdf) > MAX_PAGES:
        raise ValueError(f"PDF 有 {len(pdf)} 页,最多 {MAX_PAGES} 页 (too many pages): 请拆开")
    pages = [_lines(pdf[n]) for n in range(len(pdf))]
    blank = [n for n, page in enumerate(pages, 1) if not page]
    if sum(len(line.strip()) for page in pages for line in page) < max(10, len(pages)):
        raise ValueError("PDF 里没有文字,像是扫描件,需要先 OCR (scanned, needs OCR)")
    running = _running(pages)
    text = TextBuilder()
    number = 0
    paragraph: list[tuple[int, str]] = []  # (page, line)
    around: list[str] = []  # headers and footers met inside a paragraph: they stand after it
    for at, page in enumerate(pages, 1):
        body, edges = _parted(page, at - 1, running)
        around += edges
        widths = sorted(map(_width, body))
        full = max(FULL_LINE * widths[int(len(widths) * 0.9)], MIN_FULL) if widths else 0.0
        for line in body:
            if paragraph and _OPENS.match(line):
                number = _write(text, paragraph, around, number)
            paragraph.append((at, line))
            if (
                _width(line) < full
                or _is_row(line)
                or (_PARAGRAPH_END.search(line) and _width(line) <= full / FULL_LINE - 2)
            ):
                number = _write(text, paragraph, around, number)
    _write(text, paragraph, around, number)
    if blank:
        some = "、".join(map(str, blank[:10])) + (" …" if len(blank) > 10 else "")
        text.note(f"第 {some} 页没有文字,像是扫描的,需要 OCR (pages without text, need OCR)")
    return text.done(titled(pdf.get_metadata_dict().get("Title")))


def _lines(page: pypdfium2.PdfPage) -> list[str]:
    content = page.get_textpage().get_text_bounded()
    return [line.replace("\ufffe", "-").strip() for line in re.split(r"\r\n|\r|\n", content) if line.strip()]


def _width(line: str) -> int:
    """In half-width columns."""
    return len(line) + len(re.findall(_CJK, line))


def _shape(line: str, page: int) -> str:
    """A line for comparison with other pages: a number that counts the pages is alike on all, any other is itself."""
    if _is_number(line):
        return "#"
    bare = "".join(line.split())
    return re.sub(r"^\d{1,4}(?=\D)|(?<=\D)\d{1,4}$", lambda m: f"#{int(m.group()) - page}", bare)


def _running(pages: Sequence[Sequence[str]]) -> set[str]:
    """The shapes of lines that stand at the edge of most pages and do not fill them."""
    if len(pages) < MIN_PAGES:
        return set()
    widest = max((_width(line) for page in pages for line in page), default=0)
    seen: Counter[str] = Counter()
    for number, page in enumerate(pages):
        short = [page[n] for n in _edge_rows(page) if _width(page[n]) < FULL_LINE * widest]
        seen.update({_shape(line, number) for line in short})
    return {shape for shape, count in seen.items() if count >= max(MIN_PAGES, len(pages) / 2)}


def _edge_rows(page: Sequence[str]) -> set[int]:
    rows = range(len(page))
    return {*rows[:EDGE_LINES], *rows[max(0, len(page) - EDGE_LINES) :]}


def _parted(page: Sequence[str], number: int, running: set[str]) -> tuple[list[str], list[str]]:
    """The lines of the text and those around it."""
    edges = {
        n
        for n in _edge_rows(page)
        if _shape(page[n], number) in running or (n in (0, len(page) - 1) and _is_number(page[n]))
    }
    return [line for n, line in enumerate(page) if n not in edges], [page[n] for n in sorted(edges)]


def _is_number(line: str) -> bool:
    return _PAGE_NUMBER.fullmatch(line) is not None


def _write(text: TextBuilder, paragraph: list[tuple[int, str]], around: list[str], number: int) -> int:
    """Adds a paragraph in one line, then what stood around it; empties both. Returns the page it ends on."""
    for n, (page, line) in enumerate(paragraph):
        following = paragraph[n + 1][1] if n + 1 < len(paragraph) else ""
        hyphened = line.endswith("-") and following[:1].islower()
        if page != number:
            text.place("page", str(page))
            number = page
        text.add(line[:-1] if hyphened else line)
        if following and not hyphened and not _runs_on(line, following):
            text.add(" ")
    if paragraph:
        text.add("\n")
    for line in around:
        text.line(line, "running_header")
    paragraph.clear()
    around.clear()
    return number


def _is_row(line: str) -> bool:
    """A row of a table: values with blanks between them, and no mark of a sentence."""
    items = line.split()
    values = sum(re.fullmatch(r"[-+]?[\d,.]+%?", item) is not None for item in items)
    return len(items) >= 3 and values >= 2 and not re.search(r"[，。；,;]\s|[，。；]", line)


def _runs_on(line: str, following: str) -> bool:
    """Whether nothing stood between two lines: Chinese characters, or a number that was cut."""
    if re.match(_CJK, line[-1]) or re.match(_CJK, following):
        return True
    return re.search(r"[\d.,]$", line) is not None and re.match(r"[\d.,%％]", following) is not None
