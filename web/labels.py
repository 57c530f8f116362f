"""Every word of the pages, in one place: name → simplified Chinese, English.

Traditional Chinese is made of the simplified (OpenCC, with Taiwan's words); a third column says it where that is wrong.
"""

from index.fold import to_traditional
from index.places import Location

LANGS = ("zh-Hans", "zh-Hant", "en")
DEFAULT_LANG = "zh-Hans"

_ROWS: dict[str, tuple[str, ...]] = {
    # frame
    "brand": ("云图问答", "Yuntu"),
    "tagline": (
        "中国 AI 云、大模型与 AI 电商图市场，每句话都附出处",
        "China's AI cloud, large models and AI product images: every sentence with its source",
    ),
    "promise": (
        "答案只来自资料库：数字带出处、时间和口径；说法不一就并列；资料里没有就直说。",
        "Answers come from the corpus alone: figures carry source, period and scope; conflicts are shown side by side; "
        "what the corpus does not say is said to be missing.",
    ),
    "skip": ("跳到提问框", "Skip to the question box"),
    "nav": ("主导航", "Main"),
    "nav.ask": ("问答", "Ask"),
    "nav.coverage": ("覆盖", "Coverage"),
    "languages": ("界面语言", "Language"),
    "skip.main": ("跳到正文", "Skip to the content"),
    "nav.documents": ("资料库", "Documents"),
    "index_version": ("索引版本", "Index version"),
    # asking
    "question": ("你的问题", "Your question"),
    "placeholder": ("想查哪个数字、公司或年份？", "Which figure, company or year?"),
    "send": ("提问", "Ask"),
    "keys": (
        "Enter 发送，Shift+Enter 换行",
        "Enter sends, Shift+Enter starts a new line",
        "Enter 送出，Shift+Enter 換行",
    ),
    "lang": ("回答语言", "Answer in"),
    "lang.auto": ("跟随问题", "Same as the question"),
    "lang.zh-Hans": ("简体中文", "简体中文"),
    "lang.zh-Hant": ("繁體中文", "繁體中文"),
    "lang.en": ("English", "English"),
    "examples": ("可以这样问", "Try one of these"),
    "conversation": ("对话", "Conversation"),
    "earlier": ("前面问过", "Asked before"),
    "restart": ("新对话", "New conversation"),
    "stop": ("停止", "Stop"),
    "stopped": ("已停止，没有回答。", "Stopped, not answered."),
    "stopped.hint": ("问题还在输入框里，可以改了再问。", "Your question is back in the box."),
    "cut_off": ("答到一半连接断了。", "The connection was lost before the answer came."),
    "slow": ("还在等服务器回应，网络可能较慢……", "Still waiting for the server; the network may be slow…"),
    "stage.understand": ("理解问题", "Understanding"),
    "stage.retrieve": ("检索资料", "Searching"),
    "stage.read": ("阅读原文", "Reading"),
    "stage.compose": ("写出答案", "Writing"),
    "history": ("历史", "History"),
    "history.lead": ("只存在这个浏览器里。", "Kept in this browser alone."),
    "history.clear": ("清空历史", "Clear history"),
    "history.none": ("还没有问过。", "Nothing asked yet."),
    "actions": ("对这个回答", "With this answer"),
    "copy": ("复制", "Copy"),
    "copy.answer": ("复制（带脚注）", "Copy with footnotes"),
    "download": ("下载", "Download"),
    "copied": ("已复制", "Copied"),
    "copy.failed": (
        "浏览器不让复制，请从下面手动复制",
        "The browser does not allow copying; please copy it from below",
    ),
    "quote_this": ("引用这句", "Quote this"),
    "share": ("分享链接", "Share link"),
    "shared": ("链接已复制，打开就是这个回答", "Link copied: it leads to this answer"),
    "again": ("重新回答", "Ask again"),
    "up": ("有用", "Helpful"),
    "down": ("有问题", "Not right"),
    "note": (
        "哪里好、哪里不对？（可不写，只存在这台服务器上）",
        "What is good or wrong? (optional, kept on this server)",
    ),
    "note.send": ("提交", "Send"),
    "note.skip": ("不写了", "No comment"),
    "thanks": ("收到，谢谢", "Thank you"),
    "instead": ("资料里能回答的问题", "Questions the corpus answers"),
    "further": ("接着问", "Ask further"),
    "version.gone": (
        "链接所指的索引版本已不保留；下面按现在的索引重新回答，可能与当时不同。",
        "The index version of this link is no longer kept; this is answered from the current one and may differ.",
    ),
    "version.old": ("这是旧版本的索引：", "This is an older version of the index:"),
    "version.ask_current": ("用现在的索引再问", "Ask the current index"),
    "version.current_document": ("看现在的文档", "See the current document"),
    "scope": ("口径", "Scope"),
    "no_scope": ("未写明", "not stated"),
    "no_period": ("时期未写明", "period not stated"),
    "figure.what": ("谁的什么", "What"),
    "offline": ("连不上服务。", "The server cannot be reached."),
    "offline.hint": (
        "请确认 yuntu serve 还在运行，然后再试一次。",
        "Check that yuntu serve is still running, then try again.",
    ),
    "failed": ("没有得到答案", "No answer"),
    "retry": ("再试一次", "Try again"),
    # an answer
    "you_asked": ("问：", "Question: "),
    "understood_as": ("理解为", "Understood as"),
    "citations": ("出处", "Sources"),
    "citation": ("出处", "Source"),
    "newest": ("最新依据", "Newest evidence"),
    "undated": ("日期不详", "undated"),
    "show": ("看原文位置", "Show in the document"),
    "source_page": ("来源网页", "Source page"),
    "new_tab": ("（新标签页）", " (new tab)", "（新分頁）"),
    "kind.fact": ("事实", "Fact"),
    "kind.list": ("列举", "List"),
    "kind.explain": ("解释", "Explanation"),
    "kind.compare": ("比较", "Comparison"),
    "kind.conflict": ("多种说法", "Several figures"),
    "kind.timeline": ("时间线", "Timeline"),
    "kind.correction": ("更正", "Correction"),
    "kind.several": ("多个问题", "Several questions"),
    "kind.clarify": ("请补充", "Please clarify"),
    "kind.refusal": ("未作答", "Not answered"),
    "reason.off_topic": ("不在本资料库的主题内", "Outside this corpus's subject"),
    "reason.not_in_corpus": ("资料库里没有", "Not in the corpus"),
    "reason.figure_not_stated": ("资料没有给出这个数字", "The sources do not state this figure"),
    "reason.other_period": ("资料说的是其他时期", "The sources speak of another period"),
    "reason.other_subject": ("资料说的是其他对象", "The sources speak of another subject", "資料說的是其他對象"),
    "reason.page_junk": ("只见于网页杂项，不是正文", "Only in page clutter, not in the text"),
    "reason.instruction": ("这是一条指令，不是问题", "An instruction, not a question"),
    "reason.advice": ("不提供建议或预测", "No advice or forecasts"),
    # where a source comes from; `digest` keeps its Chinese badge in every language
    "source.official": ("官方", "Official"),
    "source.research": ("研究", "Research"),
    "source.press": ("媒体", "Press"),
    "source.self-media": ("自媒体", "Self-media"),
    "source.seo": ("SEO", "SEO"),
    "source.digest": ("摘要,非原文", "摘要,非原文 · digest"),
    # an LLM was to write, and did not or not all of it
    "notice.llm_timeout": (
        "大模型没有及时写完，这是模板的回答。",
        "The LLM was too slow; this is the templated answer.",
    ),
    "notice.llm_unreachable": (
        "连不上大模型，这是模板的回答。",
        "The LLM cannot be reached; this is the templated answer.",
    ),
    "notice.llm_private": (
        "大模型的地址在内网，没有允许，这是模板的回答。",
        "The LLM's address is private and not allowed; this is the templated answer.",
    ),
    "notice.llm_status": (
        "大模型的服务器报错，这是模板的回答。",
        "The LLM's server failed; this is the templated answer.",
    ),
    "notice.llm_bad_output": (
        "大模型的输出不能用，这是模板的回答。",
        "The LLM's output is unusable; this is the templated answer.",
    ),
    "notice.llm_refused": ("大模型拒绝写，这是模板的回答。", "The LLM refused; this is the templated answer."),
    "notice.llm_unsupported": (
        "大模型写的与证据对不上，这是模板的回答。",
        "What the LLM wrote is not borne out by the evidence; this is the templated answer.",
    ),
    "notice.llm_partial": (
        "大模型写的，逐句核对过；与证据对不上的句子没有显示。",
        "Written by an LLM and checked sentence by sentence; what the evidence does not bear out is left out.",
    ),
    "mode.llm": ("大模型写的，逐句与证据核对过。", "Written by an LLM, each sentence checked against the evidence."),
    "digest.notice": (
        "这是我们自己写的摘要，不是原文；请勿当作发布者的原话引用。",
        "This is our own summary, not the source's words. Do not quote it as the publisher's.",
        "這是我們自己寫的摘要，不是原文；請勿當作發布者的原話引用。",
    ),
    # documents and the side panel
    "documents": ("资料库", "Documents"),
    "documents.count": ("篇", "documents"),
    "documents.none": ("索引里还没有文档。", "The index holds no documents yet."),
    "pages": ("分页", "Pages"),
    "previous": ("上一页", "Previous"),
    "next": ("下一页", "Next"),
    "publisher": ("发布者", "Publisher", "發布者"),
    "author": ("作者", "Author"),
    "published": ("日期", "Date"),
    "source_kind": ("来源类别", "Kind of source"),
    "length": ("长度", "Length"),
    "characters": ("字", "characters"),
    "text": ("正文", "Text"),
    "junk.legend": (
        "灰色：清洗时略去，不参与检索（指上去看规则名）",
        "Grey: left out by cleaning, not searched (hover for the rule's name)",
    ),
    "junk.title": ("清洗时略去", "Left out by cleaning"),
    "jump": ("跳到引文", "Go to the cited words"),
    "bad_span": (
        "这个引文位置不在文中，所以没有标出。",
        "That citation lies outside this text, so nothing is highlighted.",
    ),
    "panel": ("引文在原文中的位置", "The citation in its document"),
    "full": ("打开全文", "Open the full document"),
    "close": ("关闭", "Close"),
    "rule.front_matter": ("文首元数据", "front matter"),
    "rule.page_frame": ("正文之外", "outside the article"),
    "rule.running_header": ("页眉页脚", "running header or footer"),
    "rule.hidden_text": ("隐藏文字", "hidden text"),
    "rule.site_line": ("本站每页都有", "on every page of the site"),
    "rule.keyword_spam": ("关键词堆砌", "keyword spam"),
    "rule.navigation": ("导航", "navigation", "導覽"),
    "rule.share_bar": ("分享与计数", "sharing and counts"),
    "rule.pagination": ("翻页", "pagination"),
    "rule.advert": ("广告引流", "advertising"),
    "rule.related": ("相关推荐", "related links"),
    "rule.comments": ("读者评论", "comments"),
    "rule.end_mark": ("文末标记", "end mark"),
    "rule.unlike_text": ("不像正文", "unlike the text"),
    "rule.disclaimer": ("免责声明", "disclaimer", "免責聲明"),
    "rule.reprint": ("转载声明", "reprint notice", "轉載聲明"),
    "rule.byline": ("署名与日期", "byline"),
    "rule.footer": ("页脚", "footer"),
    "rule.empty_list": ("空列表", "empty list"),
    "rule.instruction": ("写给机器的指令", "instructions to machines"),
    "rule.mojibake": ("乱码复原", "encoding mended"),
    "rule.misaligned": ("错位复原", "misaligned bytes mended"),
    "rule.damaged": ("缺损,不取数字", "damaged: no figures taken"),
    "rule.lookalike": ("混入形近字母,不取数字", "look-alike letters: no figures taken"),
    "rule.invisible": ("不可见字符", "invisible characters"),
    "rule.private_use": ("私用区字符", "private-use characters"),
    "rule.stray_pinyin": ("字后注音", "stray readings"),
    "rule.footnote_digit": ("脚注号", "footnote numbers", "註腳號"),
    "rule.footnote_arrow": ("脚注箭头", "footnote arrows", "註腳箭頭"),
    "rule.full_width": ("全角转半角", "full width made half"),
    "rule.glued_list_mark": ("粘连的列表符", "glued list marks", "黏連的列表符"),
    "rule.markdown": ("残留标记", "leftover markup"),
    "rule.blank_before_mark": ("标点前空格", "blank before punctuation"),
    "rule.blank": ("多余空白", "surplus blanks"),
    "coverage": ("覆盖范围", "Coverage"),
    "coverage.lead": (
        "资料里有谁的、哪些指标、哪些时期的数字，缺哪些。由数字台账统计而来。",
        "Whose figures the corpus holds, of what and when, and which are missing; counted from the ledger.",
    ),
    "coverage.missing": ("缺", "none"),
    "coverage.none": ("没有这样的数字。", "There are no such figures."),
    "subject": ("主体", "Subject"),
    "filter": ("筛选", "Filter"),
    "read_in": ("阅读用字", "Read in"),
    "script.original": ("原文", "As written"),
    "script.zh-Hans": ("简体", "简体"),
    "script.zh-Hant": ("繁體", "繁體", "繁體"),
    "script.notice": (
        "用字已转换，只供阅读；引用和复制的都是原文。",
        "Converted for reading only: citations keep the source's own characters.",
    ),
    "figures.legend": ("点线：写有数字的句子", "dotted: sentences that state figures"),
    "document.figures": ("本文的数字", "Figures in this document"),
    "audit": ("清洗记录", "Audit"),
    "audit.lead": (
        "每篇文档去掉了什么、修补了什么、凭哪条规则。原文一字未动，引文都指向原文。",
        "What was left out of each document or mended, and by which rule. Originals stay untouched; they are cited.",
    ),
    "audit.keep": (
        "要留住某条规则去掉的：在文首（没有文首的格式用「文件名.yaml」）写 keep: [规则名]，再运行 yuntu rebuild。",
        "To keep what a rule drops, write keep: [rule] in the front matter (or in FILE.yaml), then run yuntu rebuild.",
    ),
    "audit.rule": ("规则", "Rule"),
    "audit.times": ("处数", "Times"),
    "audit.chars": ("字数", "Characters"),
    "audit.what": ("去掉或改成", "Dropped or mended"),
    "audit.none": ("没有去掉什么。", "Nothing was left out."),
    "audit.reprints": ("同一篇的文档", "One text"),
    "nav.audit": ("清洗", "Audit"),
    "place.page": ("第 {} 页", "page {}"),
    "place.slide": ("第 {} 张幻灯片", "slide {}", "第 {} 張投影片"),
    "place.paragraph": ("第 {} 段", "paragraph {}"),
    "place.row": ("表格 {} 行", "table row {}", "表格 {} 列"),
    "place.cell": ("单元格 {}", "cell {}", "儲存格 {}"),
    "place.chapter": ("「{}」", "“{}”"),
    "also_in": ("同文还见于", "Also printed in"),
    "kind_reason": ("判断依据", "Told from"),
    # the market board
    "nav.market": ("看板", "Market"),
    "market": ("市场看板", "Market board"),
    "market.lead": (
        "由资料里的数字自动画成。口径、时间、单位都相同的才画在一起；口径不同的并列、各注口径。点图中任何一处，看原句。",
        "Drawn from the figures of the sources. Only what shares scope, period and unit stands together; what does not "
        "is shown side by side, each with its scope. Every mark leads to its sentence.",
    ),
    "market.count": ("张图", "charts"),
    "market.none": ("没有可以画在一起的数字。", "No figures that can be charted together."),
    "market.subject": ("公司或产品", "Company or product"),
    "market.filter": ("筛选", "Filter"),
    "market.all": ("全部", "Show all"),
    "market.table": ("数据表", "Table"),
    "market.download": ("下载", "Download"),
    "market.kind.shares": ("份额", "Shares"),
    "market.kind.timeline": ("变化", "Over time"),
    "market.kind.compare": ("比较", "Comparison"),
    "market.kind.conflict": ("说法不一", "Sources disagree"),
    "market.scope.none": ("文中未注明口径", "scope not stated"),
    "market.scopes.differ": (
        "各条口径不同，不能直接相比，也不算矛盾",
        "Each is counted another way: not comparable, and no contradiction",
    ),
    "market.scopes.same": (
        "⚠ 时间相同、看不出口径有别，数字却对不上",
        "⚠ Same period, no stated difference in scope, and the numbers contradict each other",
    ),
    "market.conflict": (
        "标 ⚠ 的数字另有不同说法：时间相同、看不出口径有别。",
        "Figures marked ⚠ are contradicted: another source has a different one for the same period, in no other scope.",
    ),
    "market.period.none": ("文中未注明时间", "period not stated"),
    "market.unit": ("单位", "Unit"),
    "market.log": ("对数坐标", "logarithmic axis"),
    "market.forecast": ("空心、虚线是预测", "hollow and dashed: forecast"),
    "market.range": ("浅色是范围", "light: a range"),
    "market.left_out": ("另有 {} 个数字没有画出", "{} more figures are not drawn"),
    "figures": ("数字账本", "Ledger of figures"),
    "figures.lead": (
        "资料里的每一个数字：谁的、什么、多少、何时、什么口径、谁说的，都连到原句。",
        "Every figure of the sources: whose, what, how much, when, in which scope and by whom, linked to its sentence.",
    ),
    "figures.count": ("条", "figures"),
    "figures.none": ("没有这样的数字。", "No such figures."),
    "figures.show": ("原句", "Sentence"),
    "figure.subject": ("谁", "Whose"),
    "figure.attribute": ("指标", "Measure"),
    "figure.value": ("数值", "Value"),
    "figure.period": ("时期", "Period"),
    "figure.scope": ("口径", "Scope"),
    "figure.said_by": ("谁说的", "Said by"),
    "figure.source": ("出处", "Source"),
    "figure.document": ("文档", "Document"),
    "figure.forecast": ("预测", "forecast"),
    "figure.conflict": ("矛盾", "contradicted"),
    # errors
    "error": ("出错了", "Something went wrong"),
    "error.home": ("回到提问页", "Back to the start page"),
}


class Labels:
    """The words of one language; call it with a row's name."""

    def __init__(self, lang: str) -> None:
        self.lang = lang if lang in LANGS else DEFAULT_LANG

    def __call__(self, name: str, default: str | None = None) -> str:
        """The label `name`; for a name that comes from data (a kind, a reason), `default` stands in for a missing row.

        Raises: KeyError for a name a template got wrong.
        """
        row = _ROWS.get(name)
        if row is None:
            if default is None:
                raise KeyError(name)
            return default
        if self.lang == "en":
            return row[1]
        if self.lang == "zh-Hans":
            return row[0]
        return row[2] if len(row) > 2 else to_traditional(row[0], words=True)


def place_label(place: Location | None, lang: str) -> str:
    """Where in its file a citation stands, in words; empty in a format without pages, rows or the like."""
    if place is None:
        return ""
    name = place.first if place.first == place.last else _range(place)
    return Labels(lang)(f"place.{place.kind}").format(name)


def _range(place: Location) -> str:
    sheet, mark, last = place.last.rpartition("!")
    return f"{place.first}–{last}" if mark and place.first.startswith(f"{sheet}!") else f"{place.first}–{place.last}"
