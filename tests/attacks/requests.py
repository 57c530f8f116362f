"""Requests that try to be more than a question: each with what is sent, what must come back, and what stops it.

docs/attacks.md shows this list; tests/attacks/test_requests.py sends each to a real server.
"""

import base64
import json
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

Family = Literal[
    "路径", "编码", "太大", "拖延", "走私", "请求头", "主机名", "跨站", "方法", "钥匙", "管理", "协议",
]  # fmt: skip

ASK = "POST /api/ask HTTP/1.1"
STREAM = "POST /api/ask/stream HTTP/1.1"
JSON = "Content-Type: application/json"
QUESTION = json.dumps({"question": "市场规模?"}, ensure_ascii=False).encode()
SMUGGLED = b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
HUGE = 300_000  # characters: more than the server holds of one head


@dataclass(frozen=True, slots=True)
class Attack:
    """What is sent over one connection, and what comes back."""

    name: str
    family: Family
    lines: tuple[str, ...]  # of the head, Latin-1; {ask}, {admin}, {old}, {revoked} are keys, {port} is ours
    expected: tuple[int, ...]  # a status for each answer; none: the connection is closed without one
    stopped_by: str
    body: bytes = b""
    pauses: tuple[bytes | float, ...] = ()  # after the body: more bytes, and seconds of silence between them
    whole: bool = True  # Host, Content-Length and the empty line are added where they are missing
    closes: bool = False  # and then the connection is closed
    door: Literal["open", "keys"] = "open"
    times: int = 1  # the same on so many connections
    absent: tuple[str, ...] = ()  # must not be in what comes back

    @property
    def excerpt(self) -> str:
        """What is sent, short enough for a table cell."""
        parts = [*self.lines[:4], *(["…"] if len(self.lines) > 4 else []), self.body.decode("utf-8", "replace")]
        told = [_cut(part) for part in parts if part and part != JSON]
        told += [f"停 {p:g} 秒" if isinstance(p, float) else f"再 {len(p)} 字节" for p in self.pauses[:3]]
        told += ["…"] if len(self.pauses) > 3 else []
        text = " ⏎ ".join(told)
        for mark, plain in (("\\", "\\\\"), ("|", "\\|"), ("<", "&lt;"), ("`", "\\`"), ("*", "\\*")):
            text = text.replace(mark, plain)
        return text + (f"（{self.times} 次）" if self.times > 1 else "")

    @property
    def answer(self) -> str:
        """What comes back, for a table cell."""
        runs = [(status, len(list(run))) for status, run in groupby(self.expected)]
        statuses = "、".join(f"{status} × {n}" if n > 1 else str(status) for status, n in runs) or "不答"
        return statuses + ("，断开" if self.closes else "")

    def sent(self, **values: object) -> tuple[bytes | float, ...]:
        """The bytes, and the pauses between them."""
        lines = [line.format(**values) if "{" in line else line for line in self.lines]
        names = [line.partition(":")[0].strip().lower() for line in lines]
        if self.whole:
            if "host" not in names:
                lines.append(f"Host: 127.0.0.1:{values['port']}")
            if self.body and not {"content-length", "transfer-encoding"} & set(names):
                lines.append(f"Content-Length: {len(self.body)}")
            lines += ["", ""]
        return ("\r\n".join(lines).encode("latin-1") + self.body, *self.pauses)


def _cut(text: str) -> str:
    start = text[:60].rstrip().replace("\r\n", "⏎") + ("…" if len(text) > 60 else "")
    return "".join(c if c.isprintable() and not "\x7f" <= c <= "\xff" else f"⟨{ord(c):02X}⟩" for c in start)


NO_FILE = "文件只从一个目录里取，解码之后再核对；越出去就是没有"
NO_DOCUMENT = "编号只在索引里查，不当路径用"
NOT_HTTP = "不合 HTTP/1.1 的字节由解析器拒绝并断开"
BODY = "正文最多 64 KB：声明得太大当场拒绝，分块的读到上限为止，然后断开"
JSON_SHAPE = "正文按类型核对，不合就拒绝，不重复来者的话"
HEAD_TIME = "请求头限时，零星送来的字节换不到时间；到时断开"
BODY_TIME = "正文限时，到时答 408 并断开"
ONE_LENGTH = "两种长度、或 HTTP/1.0 里分块：拒绝并断开，后面的字节不当下一个请求"
HOST = "主机名不在名单里：421。地址与 localhost 放行，网页改不了它们的指向"
ORIGIN = "来自别的网站（Origin、Sec-Fetch-Site）：403"
NO_METHOD = "没有这种方法"
NO_KEY = "钥匙不对：401，说明怎么给；不说差在哪里"
NOT_LOCAL = "带着代理的头就不算本机：要管理钥匙"
NO_UPGRADE = "不升级，照普通请求答"
NOT_TAKEN = "只收普通的词作请求号，别的头不影响应答"


def get(name: str, family: Family, target: str, status: int, stopped_by: str, *headers: str, **more: object) -> Attack:
    return Attack(name, family, (f"GET {target} HTTP/1.1", *headers), (status,), stopped_by, **more)  # type: ignore[arg-type]


def ask(name: str, family: Family, body: bytes, status: int, stopped_by: str, *headers: str, **more: object) -> Attack:
    return Attack(name, family, (ASK, JSON, *headers), (status,), stopped_by, body, **more)  # type: ignore[arg-type]


def cut(name: str, family: Family, stopped_by: str, *lines: str, **more: object) -> Attack:
    """What the parser turns away."""
    return Attack(name, family, lines, (400,), stopped_by, closes=True, **more)  # type: ignore[arg-type]


ATTACKS = (
    get("上级目录", "路径", "/static/../../../../etc/passwd", 404, NO_FILE),
    get("编码的上级目录", "路径", "/static/%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fpasswd", 404, NO_FILE),
    get("两次编码的上级目录", "路径", "/static/%252e%252e%252f%252e%252e%252fetc%252fpasswd", 404, NO_FILE),
    get("反斜杠", "路径", "/static/..%5c..%5c..%5cetc%5cpasswd", 404, NO_FILE),
    get("绝对路径", "路径", "/static//etc/passwd", 404, NO_FILE),
    get("源代码", "路径", "/static/%2e%2e/app.py", 404, NO_FILE),
    get("空字符结尾", "路径", "/static/chat.js%00.png", 404, NO_FILE),
    get("很长的文件名", "路径", "/static/" + "a" * 5000, 404, NO_FILE),
    get("文档编号里的上级目录", "路径", "/documents/%2e%2e%2f%2e%2e%2fetc%2fpasswd", 404, NO_DOCUMENT),
    get("接口里的上级目录", "路径", "/api/documents/../../../../etc/passwd", 404, NO_DOCUMENT),
    get("文档编号里的空字符", "路径", "/documents/idc-2025h1%00", 404, NO_DOCUMENT),
    get("版本号里的上级目录", "路径", "/documents/idc-2025h1?v=../../../etc", 410, "版本号只与索引目录里的名字比对"),
    get("超长编码的点", "编码", "/static/%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd", 404, NO_FILE),
    get("问题不是 UTF-8", "编码", "/?q=%ff%fe%c3%28", 200, "坏字节换成替换符，当作普通文字"),
    cut("网址里的生字节", "编码", NOT_HTTP, "GET /\xff\xfe HTTP/1.1"),
    cut("网址里的空字符", "编码", NOT_HTTP, "GET /\x00 HTTP/1.1"),
    ask("正文不是 UTF-8", "编码", b'{"question": "\xff\xfe\xfa"}', 400, JSON_SHAPE),
    ask("半个代理对", "编码", b'{"question": "\\ud800"}', 422, JSON_SHAPE),
    ask("历史里半个代理对", "编码", b'{"question": "a", "history": [{"question": "\\udfff"}]}', 422, JSON_SHAPE),
    ask("嵌套六万层", "太大", b"[" * 60_000, 400, JSON_SHAPE),
    ask("五千位的整数", "太大", b'{"question": "a", "top_k": ' + b"9" * 5000 + b"}", 400, JSON_SHAPE),
    ask("大到无穷的数", "太大", b'{"question": "a", "top_k": 1e99999}', 422, JSON_SHAPE),
    ask("不是数的数", "太大", b'{"question": "a", "top_k": NaN}', 422, JSON_SHAPE),
    ask("一个键写两次", "太大", b'{"question": "a", "question": "b"}', 200, "取后一个，仍是一个普通问题"),
    ask("历史六千条", "太大", b'{"question": "a", "history": [' + b"{}," * 6000 + b"{}]}", 422, JSON_SHAPE),
    ask("十万字的问题", "太大", b'{"question": "' + b"x" * 100_000 + b'"}', 413, BODY),
    Attack("声明 100 MB", "太大", (ASK, JSON, "Content-Length: 104857600"), (413,), BODY, b"{", closes=True),
    Attack("声明 100 MB，先等许可", "太大", (ASK, JSON, "Content-Length: 104857600", "Expect: 100-continue"), (413,),
           BODY, closes=True),
    Attack("分块 100 MB", "太大", (ASK, JSON, "Transfer-Encoding: chunked"), (413,), BODY,
           pauses=(b"10000\r\n" + b"x" * 65536 + b"\r\n",) * 1600, closes=True),
    cut("长度三十位", "太大", NOT_HTTP, ASK, "Content-Length: " + "9" * 30),
    cut("分块的长度二十位", "太大", NOT_HTTP, ASK, "Transfer-Encoding: chunked", body=b"F" * 21 + b"\r\n"),
    cut("很长的请求头", "太大", "一个请求的头最多留 16 KB", "GET / HTTP/1.1", "X-A: " + "a" * HUGE),
    cut("很多请求头", "太大", "一个请求的头最多留 16 KB", "GET / HTTP/1.1", *(["X-A: a"] * 50_000)),
    cut("很长的网址", "太大", "一个请求的头最多留 16 KB", "GET /?q=" + "a" * HUGE + " HTTP/1.1"),
    get("一万段的 Range", "太大", "/static/chat.js", 200, "段数太多就整份给", "Range: bytes=" + "0-1," * 3000 + "0-1",
        absent=("multipart",)),
    Attack("只连不说", "拖延", (), (), HEAD_TIME, whole=False, pauses=(2.0,), closes=True),
    Attack("请求头一次一个字节", "拖延", ("GET / HTTP/1.1",), (), HEAD_TIME, whole=False,
           pauses=(b"\r\nX-A: ", *(0.1, b"a") * 15), closes=True),
    Attack("答过之后不再说话", "拖延", ("GET /healthz HTTP/1.1",), (200,), HEAD_TIME, pauses=(2.0,), closes=True),
    Attack("正文不来", "拖延", (ASK, JSON, "Content-Length: 100"), (408,), BODY_TIME, pauses=(1.5,), closes=True),
    Attack("正文一次一个字节", "拖延", (ASK, JSON, "Content-Length: 100"), (408,), BODY_TIME,
           pauses=(0.1, b" ") * 15, closes=True),
    Attack("分块没有尽头", "拖延", (ASK, JSON, "Transfer-Encoding: chunked"), (408,), BODY_TIME,
           pauses=(0.1, b"1\r\n \r\n") * 15, closes=True),
    Attack("长度与分块并用", "走私", (ASK, JSON, "Content-Length: 5", "Transfer-Encoding: chunked"), (400,), ONE_LENGTH,
           b"0\r\n\r\n" + SMUGGLED, closes=True),
    Attack("分块与长度并用", "走私", (ASK, "Transfer-Encoding: chunked", "Content-Length: 200"), (400,), ONE_LENGTH,
           b"0\r\n\r\n" + SMUGGLED, closes=True),
    Attack("HTTP/1.0 里分块", "走私", ("POST /api/ask HTTP/1.0", "Transfer-Encoding: chunked"), (400,), ONE_LENGTH,
           b"0\r\n\r\n" + SMUGGLED, closes=True),
    cut("两个不同的长度", "走私", NOT_HTTP, ASK, "Content-Length: 0", "Content-Length: 47", body=SMUGGLED),
    cut("带加号的长度", "走私", NOT_HTTP, ASK, "Content-Length: +0", body=SMUGGLED),
    cut("一行两个长度", "走私", NOT_HTTP, ASK, "Content-Length: 0, 47", body=SMUGGLED),
    cut("冒号前的空格", "走私", NOT_HTTP, ASK, "Content-Length : 47", body=SMUGGLED),
    cut("不认识的传输编码", "走私", NOT_HTTP, ASK, "Transfer-Encoding: xchunked", body=SMUGGLED),
    cut("两重传输编码", "走私", NOT_HTTP, ASK, "Transfer-Encoding: identity, chunked", body=SMUGGLED),
    cut("头里单独的回车", "走私", NOT_HTTP, "GET / HTTP/1.1", "X-A: a\rTransfer-Encoding: chunked"),
    Attack("正文之后还有一个", "走私", (ASK, JSON, "Content-Length: 2"), (422, 401), "两个都照自己的头核对",
           b"{}" + SMUGGLED.replace(b"\r\n\r\n", b"\r\nVia: 1.1 x\r\n\r\n")),
    Attack("拒绝之后的坏分块", "走私", (ASK, "Transfer-Encoding: chunked"), (401,), NOT_HTTP, b"0\r\n",
           (0.2, b"\x00\x00\r\n\r\n"), closes=True, door="keys"),
    cut("两个 Host", "请求头", NOT_HTTP, "GET / HTTP/1.1", "Host: 127.0.0.1", "Host: evil.example"),
    cut("没有 Host", "请求头", NOT_HTTP, "GET / HTTP/1.1", "", "", whole=False),
    Attack("HTTP/1.0 没有 Host", "请求头", ("GET / HTTP/1.0", "", ""), (421,), HOST, whole=False, closes=True),
    get("请求号里换行", "请求头", "/", 200, NOT_TAKEN, "X-Request-Id: a%0d%0aSet-Cookie: b", absent=("Set-Cookie",)),
    get("请求号里的控制符", "请求头", "/", 200, NOT_TAKEN, "X-Request-Id: a\t\x9b[2J",
        absent=("[2J",)),
    get("语言里换行", "请求头", "/?lang=en%0d%0aSet-Cookie:%20a=b", 422, JSON_SHAPE, absent=("\nSet-Cookie", "a=b")),
    get("路径里换行", "请求头", "/documents/a%0d%0aSet-Cookie:%20a=b", 404, NO_DOCUMENT, absent=("\nSet-Cookie",)),
    get("转到别处的双斜杠", "请求头", "//evil.example/%2e%2e", 404, "只按登记的路径应答，不照来者的话跳转",
        absent=("\nlocation",)),
    get("转到别处的尾斜杠", "请求头", "/market/", 421, HOST, "Host: evil.example", absent=("\nlocation",)),
    get("换掉网址的头", "请求头", "/healthz", 200, NOT_TAKEN, "X-Original-URL: /metrics", "X-Rewrite-URL: /metrics",
        absent=("yuntu_",)),
    get("改主机名的头", "请求头", "/market/", 307, "转向只用 Host，不看代理的头", "X-Forwarded-Host: evil.example",
        absent=("evil",)),
    get("别人的名字指向本机", "主机名", "/api/documents", 421, HOST, "Host: evil.example"),
    get("地址开头的名字", "主机名", "/api/documents", 421, HOST, "Host: 127.0.0.1.evil.example"),
    get("localhost 开头的名字", "主机名", "/api/documents", 421, HOST, "Host: localhost.evil.example:{port}"),
    get("带用户名", "主机名", "/api/documents", 421, HOST, "Host: 127.0.0.1:{port}@evil.example"),
    get("方括号后还有字", "主机名", "/api/documents", 421, HOST, "Host: [::1]evil.example"),
    get("百分号后还有字", "主机名", "/api/documents", 421, HOST, "Host: 127.0.0.1%evil.example"),
    get("不是端口的端口", "主机名", "/api/documents", 421, HOST, "Host: 127.0.0.1:99999"),
    get("一行两个主机名", "主机名", "/api/documents", 421, HOST, "Host: 127.0.0.1, evil.example"),
    get("空的主机名", "主机名", "/api/documents", 421, HOST, "Host: "),
    get("写全的网址", "主机名", "http://evil.example/metrics", 404, "只按登记的路径应答", absent=("yuntu_",)),
    ask("别的网站", "跨站", QUESTION, 403, ORIGIN, "Origin: https://evil.example"),
    ask("没有来处的页面", "跨站", QUESTION, 403, ORIGIN, "Origin: null"),
    ask("本机名作子域", "跨站", QUESTION, 403, ORIGIN, "Origin: http://127.0.0.1.evil.example"),
    ask("同机别的端口", "跨站", QUESTION, 403, ORIGIN, "Origin: http://127.0.0.1:1"),
    ask("同机的 80 端口", "跨站", QUESTION, 403, ORIGIN, "Origin: http://127.0.0.1"),
    ask("别的协议", "跨站", QUESTION, 403, ORIGIN, "Origin: ftp://127.0.0.1:{port}"),
    ask("空的来处", "跨站", QUESTION, 403, ORIGIN, "Origin: http://"),
    ask("带用户名的来处", "跨站", QUESTION, 403, ORIGIN, "Origin: http://127.0.0.1:{port}@evil.example"),
    ask("两个来处", "跨站", QUESTION, 403, ORIGIN, "Origin: http://127.0.0.1:{port}", "Origin: https://evil.example"),
    ask("浏览器说是跨站", "跨站", QUESTION, 403, ORIGIN, "Sec-Fetch-Site: cross-site"),
    ask("浏览器说是同站", "跨站", QUESTION, 403, ORIGIN, "Sec-Fetch-Site: same-site"),
    get("别处页面里的图片", "跨站", "/?q=a", 403, ORIGIN, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"),
    Attack("表单里的 JSON", "跨站", (ASK, "Content-Type: text/plain", "Origin: https://evil.example"), (403,), ORIGIN,
           QUESTION),
    Attack("不说是 JSON 的 JSON", "跨站", (ASK, "Content-Type: text/plain"), (422,), JSON_SHAPE, QUESTION),
    Attack("表单", "跨站", (ASK, "Content-Type: application/x-www-form-urlencoded"), (422,), JSON_SHAPE, b"question=a"),
    Attack("跨站换索引", "跨站", ("POST /admin/reload HTTP/1.1", "Origin: https://evil.example"), (403,), ORIGIN),
    Attack("预检", "跨站", ("OPTIONS /api/ask HTTP/1.1", "Origin: https://evil.example",
           "Access-Control-Request-Method: POST"), (405,), "不给任何别的网站放行", absent=("access-control",)),
    Attack("TRACE", "方法", ("TRACE / HTTP/1.1", "X-Secret: mirror-me"), (405,), NO_METHOD, absent=("mirror-me",)),
    Attack("CONNECT", "方法", ("CONNECT evil.example:443 HTTP/1.1",), (404,), NO_METHOD),
    Attack("PUT", "方法", ("PUT /api/documents/idc-2025h1 HTTP/1.1",), (405,), NO_METHOD, b"x"),
    Attack("DELETE", "方法", ("DELETE /documents/idc-2025h1 HTTP/1.1",), (405,), NO_METHOD),
    Attack("自造的方法", "方法", ("EVIL /api/ask HTTP/1.1",), (405,), NO_METHOD),
    get("换方法的头", "方法", "/admin/reload", 405, NOT_TAKEN, "X-HTTP-Method-Override: POST"),
    Attack("问星号", "方法", ("OPTIONS * HTTP/1.1",), (404,), NO_METHOD),
    get("没有钥匙", "钥匙", "/api/documents", 401, NO_KEY, door="keys"),
    get("空的钥匙", "钥匙", "/api/documents", 401, NO_KEY, "Authorization: Bearer ", door="keys"),
    get("乱写的 Basic", "钥匙", "/", 401, NO_KEY, "Authorization: Basic !!!!", door="keys"),
    get("不是 UTF-8 的 Basic", "钥匙", "/", 401, NO_KEY,
        "Authorization: Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(), door="keys"),
    get("两把钥匙", "钥匙", "/api/documents", 401, NO_KEY, "Authorization: Bearer x", "Authorization: Bearer {ask}",
        door="keys"),
    get("钥匙写在网址里", "钥匙", "/api/documents?key={ask}&access_token={ask}", 401, NO_KEY, door="keys"),
    get("作废的钥匙", "钥匙", "/api/documents", 401, NO_KEY, "Authorization: Bearer {revoked}", door="keys"),
    get("过期的钥匙", "钥匙", "/api/documents", 401, NO_KEY, "Authorization: Bearer {old}", door="keys"),
    cut("很长的钥匙", "钥匙", "一个请求的头最多留 16 KB", "GET / HTTP/1.1", "Authorization: Bearer " + "x" * 1_000_000,
        door="keys"),
    Attack("猜钥匙", "钥匙", ("GET /api/documents HTTP/1.1", "Authorization: Bearer yt_guess"),
           (401,) * 10 + (429,) * 2, "一个地址一分钟错十次就等，之后对的也要等", door="keys", times=12),
    get("ask 的钥匙看指标", "管理", "/metrics", 403, "指标和换索引要 admin 的钥匙",
        "Authorization: Bearer {ask}", "Via: 1.1 x", door="keys", absent=("yuntu_requests",)),
    Attack("ask 的钥匙换索引", "管理", ("POST /admin/reload HTTP/1.1", "Authorization: Bearer {ask}", "Via: 1.1 x"),
           (403,), "指标和换索引要 admin 的钥匙", door="keys"),
    get("装作本机看指标", "管理", "/metrics", 401, NOT_LOCAL, "X-Forwarded-For: 127.0.0.1", absent=("yuntu_requests",)),
    get("装作本机的 Forwarded", "管理", "/metrics", 401, NOT_LOCAL, "Forwarded: for=127.0.0.1;host=localhost"),
    get("装作本机的 X-Real-IP", "管理", "/metrics", 401, NOT_LOCAL, "X-Real-IP: 127.0.0.1"),
    get("装作本机的 X-Client-IP", "管理", "/metrics", 401, NOT_LOCAL, "X-Client-IP: ::1"),
    get("编码的管理路径", "管理", "/%6detrics", 401, NOT_LOCAL, "X-Forwarded-For: 10.0.0.1"),
    Attack("编码的斜杠", "管理", ("POST /admin%2freload HTTP/1.1", "X-Forwarded-For: 10.0.0.1"), (401,), NOT_LOCAL),
    get("大写的管理路径", "管理", "/METRICS", 404, "只按登记的路径应答", "X-Forwarded-For: 10.0.0.1"),
    get("双斜杠的管理路径", "管理", "//metrics", 404, "只按登记的路径应答", "X-Forwarded-For: 10.0.0.1"),
    get("绕路的管理路径", "管理", "/static/../metrics", 404, NO_FILE, "X-Forwarded-For: 10.0.0.1"),
    cut("HTTP/0.9", "协议", NOT_HTTP, "GET /", "", "", whole=False),
    Attack("HTTP/2 的开场白", "协议", ("PRI * HTTP/2.0", "", "SM", "", ""), (421, 400), NOT_HTTP, whole=False,
           closes=True),
    cut("TLS 的开场白", "协议", NOT_HTTP, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "", "", whole=False),
    get("升级到 WebSocket", "协议", "/healthz", 200, NO_UPGRADE, "Connection: Upgrade", "Upgrade: websocket",
        "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", absent=("101 Switching",)),
    get("升级到 h2c", "协议", "/healthz", 200, NO_UPGRADE, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c",
        "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA", absent=("101 Switching",)),
)  # fmt: skip


def row_of(attack: Attack) -> str:
    """Its row in docs/attacks.md."""
    return f"| {attack.name} | {attack.family} | {attack.excerpt} | {attack.answer} | {attack.stopped_by} |"
