"""Every word of the pages, in one place: name → simplified Chinese, traditional Chinese, English."""

from index.places import Location

LANGS = ("zh-Hans", "zh-Hant", "en")  # the order of the columns below
DEFAULT_LANG = "zh-Hans"

_ROWS: dict[str, tuple[str, str, str]] = {
    # frame
    "brand": ("云图问答", "雲圖問答", "Yuntu"),
    "tagline": (
        "中国 AI 云、大模型与 AI 电商图市场，每句话都附出处",
        "中國 AI 雲、大模型與 AI 電商圖市場，每句話都附出處",
        "China's AI cloud, large models and AI product images: every sentence with its source",
    ),
    "promise": (
        "答案只来自资料库：数字带出处、时间和口径；说法不一就并列；资料里没有就直说。",
        "答案只來自資料庫：數字帶出處、時間和口徑；說法不一就並列；資料裡沒有就直說。",
        "Answers come from the corpus alone: figures carry source, period and scope; conflicts are shown side by side; "
        "what the corpus does not say is said to be missing.",
    ),
    "skip": ("跳到提问框", "跳到提問框", "Skip to the question box"),
    "nav": ("主导航", "主導覽", "Main"),
    "nav.ask": ("问答", "問答", "Ask"),
    "nav.documents": ("资料库", "資料庫", "Documents"),
    "index_version": ("索引版本", "索引版本", "Index version"),
    # asking
    "question": ("你的问题", "你的問題", "Your question"),
    "placeholder": (
        "想查哪个数字、公司或年份？",
        "想查哪個數字、公司或年份？",
        "Which figure, company or year?",
    ),
    "send": ("提问", "提問", "Ask"),
    "keys": (
        "Enter 发送，Shift+Enter 换行",
        "Enter 送出，Shift+Enter 換行",
        "Enter sends, Shift+Enter starts a new line",
    ),
    "lang": ("回答语言", "回答語言", "Answer in"),
    "lang.auto": ("跟随问题", "跟隨問題", "Same as the question"),
    "lang.zh-Hans": ("简体中文", "簡體中文", "简体中文"),
    "lang.zh-Hant": ("繁體中文", "繁體中文", "繁體中文"),
    "lang.en": ("English", "English", "English"),
    "examples": ("可以这样问", "可以這樣問", "Try one of these"),
    "conversation": ("对话", "對話", "Conversation"),
    "earlier": ("前面问过", "前面問過", "Asked before"),
    "restart": ("新对话", "新對話", "New conversation"),
    "loading": ("正在查资料", "正在查資料", "Looking it up"),
    "offline": ("连不上服务。", "連不上服務。", "The server cannot be reached."),
    "offline.hint": (
        "请确认 yuntu serve 还在运行，然后再试一次。",
        "請確認 yuntu serve 還在執行，然後再試一次。",
        "Check that yuntu serve is still running, then try again.",
    ),
    "failed": ("没有得到答案", "沒有得到答案", "No answer"),
    "retry": ("再试一次", "再試一次", "Try again"),
    # an answer
    "you_asked": ("问：", "問：", "Question: "),
    "understood_as": ("理解为", "理解為", "Understood as"),
    "citations": ("出处", "出處", "Sources"),
    "nearest": ("最接近的内容", "最接近的內容", "Nearest in the corpus"),
    "citation": ("出处", "出處", "Source"),
    "newest": ("最新依据", "最新依據", "Newest evidence"),
    "undated": ("日期不详", "日期不詳", "undated"),
    "show": ("看原文位置", "看原文位置", "Show in the document"),
    "source_page": ("来源网页", "來源網頁", "Source page"),
    "new_tab": ("（新标签页）", "（新分頁）", " (new tab)"),
    "kind.fact": ("事实", "事實", "Fact"),
    "kind.list": ("列举", "列舉", "List"),
    "kind.explain": ("解释", "解釋", "Explanation"),
    "kind.compare": ("比较", "比較", "Comparison"),
    "kind.conflict": ("说法不一", "說法不一", "Sources disagree"),
    "kind.timeline": ("时间线", "時間線", "Timeline"),
    "kind.correction": ("更正", "更正", "Correction"),
    "kind.several": ("多个问题", "多個問題", "Several questions"),
    "kind.clarify": ("请补充", "請補充", "Please clarify"),
    "kind.refusal": ("未作答", "未作答", "Not answered"),
    "reason.off_topic": ("不在本资料库的主题内", "不在本資料庫的主題內", "Outside this corpus's subject"),
    "reason.not_in_corpus": ("资料库里没有", "資料庫裡沒有", "Not in the corpus"),
    "reason.figure_not_stated": (
        "资料没有给出这个数字",
        "資料沒有給出這個數字",
        "The sources do not state this figure",
    ),
    "reason.other_period": ("资料说的是其他时期", "資料說的是其他時期", "The sources speak of another period"),
    "reason.other_subject": ("资料说的是其他对象", "資料說的是其他對象", "The sources speak of another subject"),
    "reason.page_junk": (
        "只见于网页杂项，不是正文",
        "只見於網頁雜項，不是正文",
        "Only in page clutter, not in the text",
    ),
    "reason.instruction": ("这是一条指令，不是问题", "這是一條指令，不是問題", "An instruction, not a question"),
    "reason.advice": ("不提供建议或预测", "不提供建議或預測", "No advice or forecasts"),
    # where a source comes from; `digest` keeps its Chinese badge in every language
    "source.official": ("官方", "官方", "Official"),
    "source.research": ("研究", "研究", "Research"),
    "source.press": ("媒体", "媒體", "Press"),
    "source.self-media": ("自媒体", "自媒體", "Self-media"),
    "source.seo": ("SEO", "SEO", "SEO"),
    "source.digest": ("摘要,非原文", "摘要,非原文", "摘要,非原文 · digest"),
    "digest.notice": (
        "这是我们自己写的摘要，不是原文；请勿当作发布者的原话引用。",
        "這是我們自己寫的摘要，不是原文；請勿當作發布者的原話引用。",
        "This is our own summary, not the source's words. Do not quote it as the publisher's.",
    ),
    # documents and the side panel
    "documents": ("资料库", "資料庫", "Documents"),
    "documents.count": ("篇", "篇", "documents"),
    "documents.none": ("索引里还没有文档。", "索引裡還沒有文件。", "The index holds no documents yet."),
    "pages": ("分页", "分頁", "Pages"),
    "previous": ("上一页", "上一頁", "Previous"),
    "next": ("下一页", "下一頁", "Next"),
    "publisher": ("发布者", "發布者", "Publisher"),
    "author": ("作者", "作者", "Author"),
    "published": ("日期", "日期", "Date"),
    "source_kind": ("来源类别", "來源類別", "Kind of source"),
    "language": ("语言", "語言", "Language"),
    "length": ("长度", "長度", "Length"),
    "characters": ("字", "字", "characters"),
    "text": ("正文", "正文", "Text"),
    "junk.legend": (
        "灰色：清洗时略去，不参与检索（指上去看规则名）",
        "灰色：清洗時略去，不參與檢索（指上去看規則名）",
        "Grey: left out by cleaning, not searched (hover for the rule's name)",
    ),
    "junk.title": ("清洗时略去", "清洗時略去", "Left out by cleaning"),
    "jump": ("跳到引文", "跳到引文", "Go to the cited words"),
    "bad_span": (
        "这个引文位置不在文中，所以没有标出。",
        "這個引文位置不在文中，所以沒有標出。",
        "That citation lies outside this text, so nothing is highlighted.",
    ),
    "panel": ("引文在原文中的位置", "引文在原文中的位置", "The citation in its document"),
    "full": ("打开全文", "開啟全文", "Open the full document"),
    "close": ("关闭", "關閉", "Close"),
    "rule.front_matter": ("文首元数据", "文首後設資料", "front matter"),
    "rule.page_frame": ("正文之外", "正文之外", "outside the article"),
    "rule.running_header": ("页眉页脚", "頁首頁尾", "running header or footer"),
    "rule.hidden_text": ("隐藏文字", "隱藏文字", "hidden text"),
    "rule.site_line": ("本站每页都有", "本站每頁都有", "on every page of the site"),
    "rule.keyword_spam": ("关键词堆砌", "關鍵詞堆砌", "keyword spam"),
    "rule.navigation": ("导航", "導覽", "navigation"),
    "rule.share_bar": ("分享与计数", "分享與計數", "sharing and counts"),
    "rule.pagination": ("翻页", "翻頁", "pagination"),
    "rule.advert": ("广告引流", "廣告引流", "advertising"),
    "rule.related": ("相关推荐", "相關推薦", "related links"),
    "rule.comments": ("读者评论", "讀者評論", "comments"),
    "rule.end_mark": ("文末标记", "文末標記", "end mark"),
    "rule.unlike_text": ("不像正文", "不像正文", "unlike the text"),
    "rule.disclaimer": ("免责声明", "免責聲明", "disclaimer"),
    "rule.reprint": ("转载声明", "轉載聲明", "reprint notice"),
    "rule.byline": ("署名与日期", "署名與日期", "byline"),
    "rule.footer": ("页脚", "頁尾", "footer"),
    "rule.empty_list": ("空列表", "空列表", "empty list"),
    "rule.mojibake": ("乱码复原", "亂碼復原", "encoding mended"),
    "rule.misaligned": ("错位复原", "錯位復原", "misaligned bytes mended"),
    "rule.damaged": ("缺损,不取数字", "缺損,不取數字", "damaged: no figures taken"),
    "rule.invisible": ("不可见字符", "不可見字元", "invisible characters"),
    "rule.private_use": ("私用区字符", "私用區字元", "private-use characters"),
    "rule.stray_pinyin": ("字后注音", "字後注音", "stray readings"),
    "rule.footnote_digit": ("脚注号", "註腳號", "footnote numbers"),
    "rule.footnote_arrow": ("脚注箭头", "註腳箭頭", "footnote arrows"),
    "rule.full_width": ("全角转半角", "全形轉半形", "full width made half"),
    "rule.glued_list_mark": ("粘连的列表符", "黏連的列表符", "glued list marks"),
    "rule.markdown": ("残留标记", "殘留標記", "leftover markup"),
    "rule.blank_before_mark": ("标点前空格", "標點前空格", "blank before punctuation"),
    "rule.blank": ("多余空白", "多餘空白", "surplus blanks"),
    "audit": ("清洗记录", "清洗記錄", "Audit"),
    "audit.lead": (
        "每篇文档去掉了什么、修补了什么、凭哪条规则。原文一字未动，引文都指向原文。",
        "每篇文件去掉了什麼、修補了什麼、憑哪條規則。原文一字未動，引文都指向原文。",
        "What was left out of each document or mended, and by which rule. Originals stay untouched; they are cited.",
    ),
    "audit.keep": (
        "要留住某条规则去掉的：在文首（没有文首的格式用「文件名.yaml」）写 keep: [规则名]，再运行 yuntu rebuild。",
        "要留住某條規則去掉的：在文首（沒有文首的格式用「檔名.yaml」）寫 keep: [規則名]，再執行 yuntu rebuild。",
        "To keep what a rule drops, write keep: [rule] in the front matter (or in FILE.yaml), then run yuntu rebuild.",
    ),
    "audit.rule": ("规则", "規則", "Rule"),
    "audit.times": ("处数", "處數", "Times"),
    "audit.chars": ("字数", "字數", "Characters"),
    "audit.what": ("去掉或改成", "去掉或改成", "Dropped or mended"),
    "audit.none": ("没有去掉什么。", "沒有去掉什麼。", "Nothing was left out."),
    "audit.kept": ("留下", "留下", "kept"),
    "audit.reprints": ("同一篇的文档", "同一篇的文件", "One text"),
    "nav.audit": ("清洗", "清洗", "Audit"),
    "place.page": ("第 {} 页", "第 {} 頁", "page {}"),
    "place.slide": ("第 {} 张幻灯片", "第 {} 張投影片", "slide {}"),
    "place.paragraph": ("第 {} 段", "第 {} 段", "paragraph {}"),
    "place.row": ("表格 {} 行", "表格 {} 列", "table row {}"),
    "place.cell": ("单元格 {}", "儲存格 {}", "cell {}"),
    "place.chapter": ("「{}」", "「{}」", "“{}”"),
    "also_in": ("同文还见于", "同文還見於", "Also printed in"),
    "kind_reason": ("判断依据", "判斷依據", "Told from"),
    # errors
    "error": ("出错了", "出錯了", "Something went wrong"),
    "error.home": ("回到提问页", "回到提問頁", "Back to the start page"),
}


class Labels:
    """The words of one language; call it with a row's name."""

    def __init__(self, lang: str) -> None:
        self.lang = lang if lang in LANGS else DEFAULT_LANG
        self._column = LANGS.index(self.lang)

    def __call__(self, name: str, default: str | None = None) -> str:
        """The label `name`; for a name that comes from data (a kind, a reason), `default` stands in for a missing row.

        Raises: KeyError for a name a template got wrong.
        """
        row = _ROWS.get(name)
        if row is not None:
            return row[self._column]
        if default is None:
            raise KeyError(name)
        return default


def place_label(place: Location | None, lang: str) -> str:
    """Where in its file a citation stands, in words; empty in a format without pages, rows or the like."""
    if place is None:
        return ""
    name = place.first if place.first == place.last else _range(place)
    return Labels(lang)(f"place.{place.kind}").format(name)


def _range(place: Location) -> str:
    sheet, mark, last = place.last.rpartition("!")
    return f"{place.first}–{last}" if mark and place.first.startswith(f"{sheet}!") else f"{place.first}–{place.last}"
