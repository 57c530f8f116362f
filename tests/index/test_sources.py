"""Which kind of source a text comes from, and what told so."""

import pytest

from index.sources import kind_of

TEXT = "二〇二五年上半年，这个市场继续增长，几家厂商的份额变化不大。\n"


@pytest.mark.parametrize(
    ("publisher", "url", "text", "kind", "told_by"),
    [
        ("某局", "https://www.stats.gov.cn/sj/1.html", TEXT, "official", "gov.cn"),
        ("远山市统计局", None, TEXT, "official", "远山市统计局"),
        ("远山研究院", None, TEXT, "research", "远山研究院"),
        (None, "https://mp.weixin.qq.com/s/abc", TEXT, "self-media", "mp.weixin.qq.com"),
        (None, "https://www.163.com/dy/article/1.html", TEXT, "self-media", "163.com/dy"),
        (None, "https://www.163.com/news/article/1.html", TEXT, "press", "nothing"),
        (None, None, TEXT * 30 + "以上內容為自媒體平臺“某某號”用戶上傳。", "self-media", "用户上传"),
        (None, None, TEXT + "首发原创文章,作者:某某,如若转载,请注明出处", "seo", "首发原创文章"),
        ("远山日报", None, TEXT, "press", "nothing"),
        (None, "https://notgov.cn.example.com/", TEXT, "press", "nothing"),
        (None, "https://[broken", TEXT, "press", "nothing"),
    ],
)
def test_the_kind_and_its_reason(publisher: str | None, url: str | None, text: str, kind: str, told_by: str) -> None:
    found, reason = kind_of(publisher, url, text)
    assert found == kind
    assert told_by in reason


def test_a_word_in_the_middle_of_a_long_text_tells_nothing() -> None:
    assert kind_of(None, None, TEXT * 100 + "关注我们的公众号。" + TEXT * 100)[0] == "press"
