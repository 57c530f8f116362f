"""The command line: results on stdout, progress and errors on stderr; exit 0 done, 1 to be fixed, 2 wrong usage.

What a command needs is imported when it is known which: `yuntu --help` answers in a tenth of a second.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from index.engines import ENGINES
from index.errors import YuntuError

# NumPy's threads would wait for one another spinning, on the cores that the networks use: searching 100,000 passages
# took 19 ms with them and 15 without. Read once, when NumPy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

MOST_GRACE_H = 24 * 365

_EXAMPLES = {
    "rebuild": "yuntu rebuild\n  yuntu rebuild --corpus corpus --corpus ~/reports --strict\n"
    "  YUNTU_RAY_WORKERS=8 yuntu rebuild --engine ray",
    "ask": "yuntu ask 2025年上半年火山引擎的份额是多少\n  yuntu ask 那阿里云呢 --turn 火山引擎的份额是多少 --json\n"
    "  yuntu ask 那阿里云呢 --turn 火山引擎的份额是多少 --format docx --out answer.docx",
    "batch": "yuntu batch questions.jsonl --out answers.jsonl",
    "search": "yuntu search 豆包日均调用量 --top-k 5",
    "run": "yuntu run queries.jsonl --out run.jsonl --top-k 10",
    "evaluate": "yuntu evaluate q.jsonl --json\n  yuntu evaluate q.jsonl --report report.html --gate floors.toml",
    "questions": "yuntu questions --suggest --count 60 --out questions.jsonl",
    "serve": "yuntu serve --port 8000\n  yuntu serve --host 0.0.0.0 --workers 2",
    "mcp": "yuntu mcp\n  yuntu mcp --index var/index",
    "keys": "yuntu keys add team\n  yuntu keys add ops --scope admin\n  yuntu keys rotate team --grace 24",
    "feedback": "yuntu feedback --verdict down",
    "figures": "yuntu figures --subject 豆包\n  yuntu figures --attribute 份额 --csv\n"
    "  yuntu figures --format xlsx --out figures.xlsx",
    "lexicon": "yuntu lexicon check\n  yuntu lexicon learned",
    "audit": "yuntu audit --corpus corpus\n  yuntu audit --doc 001 --rule footer --json",
    "add": "yuntu add https://example.com/news.html --dry-run\n  yuntu add report.pdf prices.xlsx",
    "remove": "yuntu remove 001-ai-cloud-two-rankings",
    "coverage": "yuntu coverage\n  yuntu coverage --subject 阿里云 --json",
    "index": "yuntu index list\n  yuntu index rollback v-1a2b3c4d5e6f",
}


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog="yuntu",
        description="云图问答: 从语料里回答中国 AI 云、大模型与 AI 电商图市场的问题,句句有出处。",
        epilog="每个子命令都有例子: yuntu ask --help",
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="COMMAND")

    def verb(name: str, what: str) -> argparse.ArgumentParser:
        return verbs.add_parser(
            name,
            help=what,
            description=what,
            epilog=f"例 (examples):\n  {_EXAMPLES[name]}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    def with_index(p: argparse.ArgumentParser) -> argparse.ArgumentParser:
        p.add_argument("--index", type=Path, metavar="DIR", help="索引目录 (default: YUNTU_INDEX or var/index)")
        return p

    def written(p: argparse.ArgumentParser, *forms: str) -> "argparse._MutuallyExclusiveGroup":
        p.add_argument("--out", type=Path, metavar="FILE", help="写到这个文件 (default: stdout)")
        group = p.add_mutually_exclusive_group()
        group.add_argument("--format", choices=forms, default=forms[0], help=f"什么格式 (default: {forms[0]})")
        return group

    p = with_index(verb("rebuild", "读语料,建索引并切换过去 (build the index and switch to it)"))
    p.add_argument(
        "--corpus",
        type=Path,
        action="append",
        metavar="PATH",
        help="文件夹、文件或 .jsonl[.gz],可重复 (default: corpus)",
    )
    p.add_argument("--full", action="store_true", help="全部重新编码 (encode everything again)")
    p.add_argument("--strict", action="store_true", help="有读不了的文件就不切换,退出码 1 (fail on unreadable files)")

    p.add_argument(
        "--engine",
        choices=ENGINES,
        default=ENGINES[0],
        help="谁来清洗、切分、编码: 本机,或 Ray 集群 (RAY_ADDRESS; 没有就在本机起一个); 结果一样 (default: local)",
    )

    p = with_index(verb("ask", "问一个问题 (ask one question)"))
    p.add_argument("question", metavar="QUESTION")
    p.add_argument(
        "--turn", action="append", default=[], metavar="EARLIER_QUESTION", help="前面问过的问题,可重复,从早到晚"
    )
    written(p, "text", "md", "docx", "json").add_argument(
        "--json", dest="format", action="store_const", const="json", help="输出完整的 Answer"
    )
    p.add_argument(
        "--lang", default="auto", choices=["auto", "zh-Hans", "zh-Hant", "en"], help="回答的语言 (default: auto)"
    )

    p = with_index(verb("batch", "批量回答 (answer a file of questions)"))
    p.add_argument("questions", type=Path, metavar="QUESTIONS.jsonl")
    p.add_argument("--out", type=Path, required=True, metavar="ANSWERS.jsonl")

    p = with_index(verb("search", "检索段落 (find passages)"))
    p.add_argument("query", metavar="QUERY")
    p.add_argument("--top-k", type=int, default=5, metavar="N")
    p.add_argument("--json", action="store_true")

    p = with_index(verb("run", "批量检索,给评测用 (rank passages for a file of queries)"))
    p.add_argument("queries", type=Path, metavar="QUERIES.jsonl")
    p.add_argument("--out", type=Path, required=True, metavar="RUN.jsonl")
    p.add_argument("--top-k", type=int, default=10, metavar="N")

    p = with_index(verb("evaluate", "用有标准答案的问题打分 (score answers against known ones)"))
    p.add_argument("questions", type=Path, metavar="QUESTIONS.jsonl")
    p.add_argument("--json", action="store_true")
    p.add_argument("--report", type=Path, metavar="FILE.md|.html", help="写一份报告,列出答错的题 (a report to read)")
    p.add_argument("--gate", type=Path, metavar="FLOORS.toml", help="低于底线就以 1 退出 (exit 1 when a floor breaks)")

    p = with_index(verb("questions", "由台账出候选题,附标准答案,给人审 (candidate questions with answers, for review)"))
    p.add_argument("--suggest", action="store_true", required=True, help="出题 (make them)")
    p.add_argument("--count", type=int, default=60, metavar="N", help="最多几题 (default: 60)")
    p.add_argument("--out", type=Path, metavar="FILE.jsonl", help="写到这里 (default: stdout)")

    p = with_index(verb("serve", "启动网页和接口 (serve the chat page and the API)"))
    p.add_argument("--host", default="127.0.0.1")
    p.add_argument("--port", type=int, default=8000)
    p.add_argument("--workers", type=int, default=1, metavar="N", help="进程数,共用一份索引 (processes; default: 1)")
    p.add_argument(
        "--insecure", action="store_true", help="不只在本机也不要钥匙 (open to everybody who reaches the address)"
    )

    with_index(verb("mcp", "给智能体用的 MCP 服务,走 stdin 和 stdout (MCP server for agents, on stdin and stdout)"))

    p = verb("keys", "API 钥匙:谁可以问,谁可以管理 (who may ask, who may administer)")
    p.add_argument("action", choices=["add", "list", "rotate", "revoke"])
    p.add_argument("name", nargs="?", metavar="NAME")
    p.add_argument("--scope", choices=["ask", "admin"], default="ask", help="admin 还能看指标、换索引 (default: ask)")
    p.add_argument("--grace", type=float, default=24.0, metavar="HOURS", help="旧钥匙再用几小时 (default: 24)")

    p = verb("feedback", "列出大家对回答的意见 (what people said of answers)")
    p.add_argument("--verdict", choices=["up", "down"], help="只看有用的或有问题的")
    p.add_argument("--json", action="store_true", help="每条一行 JSON")

    p = with_index(verb("figures", "列出数字台账:谁的、什么、多少、何时、口径、谁说的 (print the ledger of figures)"))
    p.add_argument("--subject", metavar="S", help="主体含有这几个字 (subject contains)")
    p.add_argument("--attribute", metavar="A", help="指标含有这几个字 (attribute contains)")
    p.add_argument("--period", metavar="P", help="时期,如 2025 或 2025H1 (period)")
    p.add_argument("--doc", metavar="D", help="文档的 doc_id,可只写开头")
    form = written(p, "text", "csv", "xlsx", "json")
    form.add_argument("--json", dest="format", action="store_const", const="json", help="每行一个 JSON 对象")
    form.add_argument("--csv", dest="format", action="store_const", const="csv")

    p = verb("audit", "列出清洗去掉或修补了什么 (what cleaning dropped or repaired, and why)")
    p.add_argument("--corpus", type=Path, action="append", metavar="PATH")
    p.add_argument("--doc", metavar="D", help="文档的 doc_id,可只写开头")
    p.add_argument("--rule", metavar="R", help="只看这条规则")
    p.add_argument("--json", action="store_true", help="每处一行 JSON")

    p = verb("add", "把网页或文件加进语料 (fetch or copy into the corpus, cleaned and shown)")
    p.add_argument("source", nargs="+", metavar="URL|FILE")
    p.add_argument("--corpus", type=Path, metavar="DIR", help="语料目录 (default: YUNTU_CORPUS or corpus)")
    p.add_argument("--dry-run", action="store_true", help="只看会留下什么,不写 (show, write nothing)")
    p.add_argument("--replace", action="store_true", help="换掉同名或同网址的文档")
    p.add_argument("--allow-private", action="store_true", help="也取内网地址 (addresses inside the network too)")

    p = verb("remove", "把一篇文档移出语料,文件留在 _removed/ (take a document out, keep its file)")
    p.add_argument("doc", metavar="DOC")
    p.add_argument("--corpus", type=Path, metavar="DIR", help="语料目录 (default: YUNTU_CORPUS or corpus)")

    p = with_index(verb("coverage", "语料有谁的、哪些指标、哪些时期的数字,缺哪些 (who, what and when is held)"))
    p.add_argument("--subject", metavar="S", help="只看这个主体")
    p.add_argument("--most", type=int, default=20, metavar="N", help="最多列几个主体和指标 (default: 20)")
    p.add_argument("--json", action="store_true", help="每行一个 JSON 对象; periods 为空表示没有")

    p = with_index(
        verb("lexicon", "查词表写得对不对,语料教了哪些别名 (check the word files; names learned from the corpus)")
    )
    p.add_argument("action", choices=["check", "learned"])

    p = with_index(verb("index", "查看、校验、回退索引版本 (list, verify or roll back versions)"))
    p.add_argument("action", choices=["list", "verify", "rollback"])
    p.add_argument("version", nargs="?", metavar="VERSION")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command. Returns the exit status."""
    for stream in (sys.stdout, sys.stderr):  # Chinese goes out whatever the locale says
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    parser = build_parser()
    args = parser.parse_args(argv)
    for option in ("top_k", "most", "workers", "count"):
        if getattr(args, option, 1) < 1:
            parser.error(f"--{option.replace('_', '-')} 至少是 1")
    if not 0 <= getattr(args, "port", 0) < 65536:
        parser.error("--port 要在 0 到 65535 之间")
    if args.verb == "index" and {"rollback": args.version is None, "list": args.version is not None}.get(args.action):
        parser.error("rollback 要写版本名 (needs VERSION),list 不要,verify 可写可不写")
    if args.verb == "keys" and (args.action == "list") != (args.name is None):
        parser.error("add、rotate、revoke 要写名字 (need NAME),list 不要")
    if getattr(args, "format", "") in ("docx", "xlsx") and args.out is None and sys.stdout.isatty():
        parser.error(f"{args.format} 不能显示在终端上 (cannot be shown here),请写 --out FILE.{args.format}")
    if not 0 <= getattr(args, "grace", 0) <= MOST_GRACE_H:
        parser.error(f"--grace 要在 0 到 {MOST_GRACE_H} 之间")
    try:
        from index.settings import Settings
        from web.verbs import VERBS

        settings = Settings.from_env(os.environ)
        if getattr(args, "index", None) is not None:
            settings = settings.model_copy(update={"index": args.index})
        VERBS[args.verb](args, settings)
        sys.stdout.flush()  # a full disk or a closed pipe shows here
    except BrokenPipeError:  # `yuntu audit | head`: whoever read has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except YuntuError as e:
        from web.terminal import shown

        print(shown(f"yuntu: {e}"), file=sys.stderr)  # a file's name may steer the terminal
        return 1
    except OSError as e:
        print(": ".join(["yuntu", *([str(e.filename)] if e.filename else []), e.strerror or str(e)]), file=sys.stderr)
        return 1
    except MemoryError:
        print("yuntu: 内存不够 (out of memory)。 请给它 1 GB 以上,或减少语料;索引没有变", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("yuntu: 已中断,索引没有变 (interrupted)", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
