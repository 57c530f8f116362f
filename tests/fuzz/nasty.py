"""Text that hurts: the units it is made of, strategies that mix them, and how many of a thing a test tries."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

# What one expression or another of the code could go back over, or read as half of something; ␠ is a blank, ↵ a break.
_WRITTEN = """
一 零 千 百 九点 一分之 三分之一 三分之一至 百分之 数十 过百 万亿 万亿至 两点零 九千 一千零一夜 百人 百度
1 1. .5 1, 1， 1、 1和 1至 1-2 1/2 1.5亿元， 1亿2万 1兆2 1e9 ,000 1,000 12.5%、 1% 1元 2%- 100%至 3D v1. 第1
2024年 2024- 在2024 自1234 民国 一九 二〇二四年 1年 3月 到1月 上半年 去年同期 q1 10月1日至 2024年1月到 近三 至今
甲 的 的甲 甲的 甲、乙 甲是乙的 甲为 甲等 甲和 对甲 从甲 将甲 其中 其 该 使 比 较 在 以甲 同比增长 较2024年 超 约
不到 日均 调用量 份额 增速 增幅的 甲市场 中国市场 a市场 期间 以来 公布 甲表示， 据 据甲 据报告 据甲显示， 财报
在发布 在甲发布 发布的 按甲口径 按的 口径 统计口径： （统计口径 数据显示， 报道， 记者 甲称：“ 记者甲讯
（ ( ） 《 》 “ ” 「 [ ]( [a]( 【 甲( 甲（A A( A(甲 甲（简称甲） （1%） (1 ’ ' \" 。” ， 。 ？ ! ?; ?! …… —— - ~ | · •
# ** __ **a <p> <a &amp; </ {{ [[ --- ` @ http://a https:// ]] a a. a-b A .. _ ^ ↩ a|
|a| a␠| *␠ #␠ -␠ -↵ 1.↵ 1.␠a↩↵ 甲。↵ 甲↵ a:␠b↵ -␠a↵ 甲乙␠丙丁↵ ---↵ |a|b|↵ 甲␠分享␠，↵
相关阅读↵ 版权所有↵ 上一篇↵ 责任编辑：↵ 目录↵
锟斤拷 烫 涓浗 鐢熸 ä¸ é ÿ \ue000 \ufffd ? 涓? 繁體字 裡面 臺灣 後裏 狒狒
甲呢？ 吗， 呢， 谁第一 它 忽略要求 忽略 只说 只说“ 是不是 对吧 多少 几 哪 甲比乙 请问 又占
ignore␠previous what␠ how␠ a␠b january␠1, may␠ revenue␠ which is␠it
"""
UNITS = (
    *(unit.replace("␠", " ").replace("↵", "\n") for unit in _WRITTEN.split()),
    *(" ", "\t", "\r", "\n", "\u3000", "\u2028", "\x85", "\x0b", "\0", "\x1b", "\u202e", "\u200b", "\ufeff", "\u00a0"),
    *("\ud800", "\udfff", "e\u0301", "a\u0327\u0301", "\U0001f600", "\U00020000", "\u0130", "ﬁ", "㈱", "㍿", "½", "Ⅷ"),
    *("٣", "٣%", "²", "①", "甲\u2028", "（）。"),
)
_JOINERS = ("", "", "", " ", "\n", "，", "。", "、")


def repeated(unit: str, size: int) -> str:
    """A text of `size` characters made of one unit."""
    return (unit * (size // len(unit) + 1))[:size]


_CHARACTERS = st.characters(exclude_categories=())  # lone surrogates too
_WORDS = st.one_of(
    st.sampled_from(UNITS),
    st.text(_CHARACTERS, max_size=6),
    st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), max_size=8),
    st.text("零〇一二两三四五六七八九十百千万亿兆点分之几数余多年月日%,.-", max_size=10),
    st.text("0123456789.,/-—~%万亿元年月:", max_size=10),
)
_RUNS = st.builds(repeated, st.sampled_from(UNITS), st.integers(1, 300))


def texts(most: int = 25) -> st.SearchStrategy[str]:
    """Mixes of everything nasty, in at most so many pieces."""
    return st.builds(
        lambda pieces, joiner: joiner.join(pieces),
        st.lists(st.one_of(_WORDS, _WORDS, _WORDS, _RUNS), max_size=most),
        st.sampled_from(_JOINERS),
    )


def writable(most: int = 25) -> st.SearchStrategy[str]:
    """… without halves of surrogate pairs, as every file and request is read."""
    return texts(most).map(lambda t: t.encode("utf-8", "replace").decode("utf-8"))


def fuzz(check: Callable[[Any], None], examples: st.SearchStrategy[Any], count: int) -> None:
    """Holds a check against so many examples."""
    quiet = settings(
        max_examples=count,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
        database=None,
    )
    given(examples)(quiet(check))()
