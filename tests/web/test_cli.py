"""The command line: what each verb takes, prints and exits with. What the answers say is tested elsewhere."""

import argparse
import dataclasses
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from index import publish, snapshot
from index.load import load
from rag.values import KINDS, Answer, Citation
from tests.fakes import FakeEncoder
from tests.index.small import TEXTS, write_corpus
from web.cli import build_parser, main

ROOT = Path(__file__).parents[2]
QUESTION = "火山引擎排第几?"
pytestmark = pytest.mark.usefixtures("fake_encoder")


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


Yuntu = Callable[..., Done]


@pytest.fixture
def yuntu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Yuntu:
    """Runs a command in this process, in an empty folder, without anyone's settings."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("YUNTU_")]:
        monkeypatch.delenv(name)

    def run(*arguments: str) -> Done:
        capsys.readouterr()
        try:
            code = main(arguments)
        except SystemExit as e:
            code = int(e.code or 0)
        return Done(code, *capsys.readouterr())

    return run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a corpus and its index where the defaults look for them."""
    folder = tmp_path_factory.mktemp("made")
    write_corpus(folder / "corpus")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("index.encode.load_encoder", lambda *_, **__: FakeEncoder())
        patch.setattr("index.build.fingerprint_of", lambda _: FakeEncoder.fingerprint)
        assert main(["rebuild"]) == 0
    return folder


@pytest.fixture
def built(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path, dirs_exist_ok=True)


def write_rows(path: Path, rows: Iterable[Any]) -> str:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def read_rows(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


# --- help and usage ---------------------------------------------------------------------------------------------------


def verbs() -> dict[str, argparse.ArgumentParser]:
    actions = build_parser()._actions
    found: dict[str, argparse.ArgumentParser] = next(a.choices for a in actions if isinstance(a.choices, dict))
    return found


def test_the_verbs_are_those_of_the_contract() -> None:
    contract = {"rebuild", "ask", "batch", "search", "run", "evaluate", "serve", "figures", "lexicon", "audit", "index"}
    assert contract <= set(verbs())


@pytest.mark.parametrize("verb", verbs())
def test_every_verbs_help_has_examples_that_can_be_typed(yuntu: Yuntu, verb: str) -> None:
    done = yuntu(verb, "--help")
    assert (done.code, done.err) == (0, "")
    examples = [line.strip() for line in done.out.splitlines() if line.strip().startswith("yuntu ")]
    assert examples
    for example in examples:
        assert build_parser().parse_args(shlex.split(example)[1:]).verb == verb


@pytest.mark.parametrize(
    "command",
    [
        "",
        "answer",
        "ask",
        "ask 一 二",
        "ask 问题 --lang fr",
        "ask 问题 --colour",
        "batch questions.jsonl",
        "search 云 --top-k 0",
        "search 云 --top-k -1",
        "search 云 --top-k many",
        "run queries.jsonl --out run.jsonl --top-k 0",
        "serve --port 70000",
        "serve --port -1",
        "serve --port http",
        "index",
        "index drop",
        "index rollback",
        "index list v-0123456789ab",
        "keys add",
        "keys list team",
        "keys rotate team --grace -1",
        "serve --workers 0",
        "rebuild corpus",
    ],
)
def test_wrong_usage_exits_2_and_says_so_on_stderr(yuntu: Yuntu, command: str) -> None:
    done = yuntu(*command.split())
    assert (done.code, done.out) == (2, "")
    assert "usage: yuntu" in done.err


@pytest.mark.parametrize(
    "command",
    [
        "ask 问题",
        "search 云",
        "batch rows.jsonl --out out.jsonl",
        "run rows.jsonl --out out.jsonl",
        "evaluate rows.jsonl",
        "serve",
        "index list",
        "index verify",
        "index rollback v-0123456789ab",
        "ask 问题 --index elsewhere",
    ],
)
def test_without_an_index_every_verb_names_the_command_that_makes_one(
    yuntu: Yuntu, tmp_path: Path, command: str
) -> None:
    write_rows(tmp_path / "rows.jsonl", [{"id": "1", "question": QUESTION}])
    done = yuntu(*command.split())
    assert (done.code, done.out) == (1, "")
    assert "yuntu rebuild" in done.err
    assert "elsewhere" in done.err or "var/index" in done.err
    assert not (tmp_path / "out.jsonl").exists()


def test_a_misspelt_setting_stops_every_verb_by_its_name(yuntu: Yuntu, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YUNTU_INDX", "x")
    for command in ("rebuild", "ask 问题", "index list", "audit"):
        done = yuntu(*command.split())
        assert (done.code, done.out) == (1, "")
        assert "YUNTU_INDX" in done.err


# --- rebuild ----------------------------------------------------------------------------------------------------------


def test_rebuild_prints_one_line_and_repeats_itself_only_when_it_must(yuntu: Yuntu, tmp_path: Path) -> None:
    write_corpus(tmp_path / "corpus")
    first = yuntu("rebuild")
    assert first.code == 0
    version = snapshot.current_version(tmp_path / "var" / "index")
    assert first.out.startswith(f"{version}: 3 篇 ")
    assert first.out.count("\n") == 1
    second = yuntu("rebuild")
    assert second.code == 0
    assert second.out.startswith(version)
    assert "unchanged" in second.out
    assert "unchanged" not in yuntu("rebuild", "--full").out


def test_rebuild_takes_several_paths_and_says_what_it_decoded_and_skipped(yuntu: Yuntu, tmp_path: Path) -> None:
    write_corpus(tmp_path / "texts")
    (tmp_path / "texts" / "bad.txt").write_bytes(b"\0")
    write_rows(tmp_path / "rows.jsonl", [{"id": "one", "text": TEXTS["hant.txt"]}])
    (tmp_path / "big5.txt").write_bytes(TEXTS["hant.txt"].encode("big5hkscs", "ignore"))
    paths = ("--corpus", "texts", "--corpus", "rows.jsonl", "--corpus", "big5.txt")
    done = yuntu("rebuild", *paths, "--index", "here")
    assert done.code == 0
    assert ": 5 篇 " in done.out
    assert "big5" not in done.out
    assert "bad.txt" not in done.out
    assert "big5.txt: 编码 big5" in done.err
    assert "bad.txt: 不是文本文件" in done.err
    assert (tmp_path / "here" / "CURRENT").exists()

    before = snapshot.current_version(tmp_path / "here")
    done = yuntu("rebuild", *paths[:2], "--index", "here", "--strict")
    assert (done.code, done.out) == (1, "")
    assert "bad.txt" in done.err
    assert snapshot.current_version(tmp_path / "here") == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [((), "corpus"), (("--corpus", "nowhere"), "nowhere"), (("--corpus", "."), "jsonl")],
    ids=["no-corpus", "no-such-path", "nothing-in-it"],
)
def test_rebuild_without_documents_exits_1_and_names_the_path(
    yuntu: Yuntu, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = yuntu("rebuild", *arguments)
    assert (done.code, done.out) == (1, "")
    assert said in done.err
    assert not (tmp_path / "var").exists()


def test_a_rebuild_beside_another_one_exits_1(yuntu: Yuntu, built: Path) -> None:
    with publish.writer_lock(built / "var" / "index"):
        done = yuntu("rebuild", "--full")
    assert (done.code, done.out) == (1, "")
    assert str(os.getpid()) in done.err


def test_an_index_folder_that_cannot_be_made_exits_1_with_its_name(yuntu: Yuntu, built: Path) -> None:
    (built / "file").write_text("")
    done = yuntu("rebuild", "--index", "file/index")
    assert (done.code, done.out) == (1, "")
    assert "file" in done.err
    assert "Traceback" not in done.err


def test_ctrl_c_during_a_rebuild_exits_130_and_the_old_index_answers(
    yuntu: Yuntu, built: Path, fake_encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot.current_version(built / "var" / "index")
    (built / "corpus" / "new.txt").write_text("一篇新的文章。", encoding="utf-8")

    def interrupted(_: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(fake_encoder, "encode_passages", interrupted)
        done = yuntu("rebuild")
    assert (done.code, done.out) == (130, "")
    assert "interrupted" in done.err
    assert snapshot.current_version(built / "var" / "index") == before
    assert yuntu("search", "云").code == 0


# --- ask --------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("question", ["", "  \n", "云" * 100_000], ids=["empty", "blank", "100000-characters"])
@pytest.mark.parametrize("verb", ["ask", "search"])
def test_a_question_that_is_none_exits_1_and_says_why(yuntu: Yuntu, verb: str, question: str) -> None:
    done = yuntu(verb, question)
    assert (done.code, done.out) == (1, "")
    assert ("2000" if question.strip() else "empty") in done.err
    assert len(done.err) < 500


@pytest.mark.usefixtures("built")
def test_ask_prints_the_answer_and_then_its_sources(yuntu: Yuntu) -> None:
    done = yuntu("ask", QUESTION)
    assert done.code == 0
    answer = json.loads(yuntu("ask", QUESTION, "--json").out)
    assert done.out.startswith(answer["text"] + "\n")
    for c in answer["citations"]:
        assert f"[{c['marker']}] " in done.out
        assert f"{c['doc_id']}:{c['start']}-{c['end']}\n    {c['quote']}\n" in done.out


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("question", [QUESTION, "谁发明了电话?", "Who is first?", "價格\ud83d?"])
def test_ask_json_is_the_whole_answer_and_nothing_else(yuntu: Yuntu, question: str) -> None:
    done = yuntu("ask", question, "--json")
    assert (done.code, done.err) == (0, "")
    answer = json.loads(done.out)
    assert list(answer) == [f.name for f in dataclasses.fields(Answer)]
    assert answer["kind"] in KINDS
    assert answer["refused"] is (answer["reason"] is not None)
    documents = {d.doc_id: d.text for d in load([Path("corpus")]).documents}
    for c in answer["citations"]:
        assert list(c) == [f.name for f in dataclasses.fields(Citation)]
        assert documents[c["doc_id"]][c["start"] : c["end"]] == c["quote"]


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(
    ("question", "lang", "expected"),
    [
        (QUESTION, "auto", "zh-Hans"),
        ("火山引擎排第幾,價格怎麼樣?", "auto", "zh-Hant"),
        ("Who ranks first?", "auto", "en"),
        (QUESTION, "en", "en"),
        (QUESTION, "zh-Hant", "zh-Hant"),
        ("Who ranks first?", "zh-Hans", "zh-Hans"),
    ],
)
def test_the_answers_language_follows_the_question_unless_it_is_chosen(
    yuntu: Yuntu, question: str, lang: str, expected: str
) -> None:
    done = yuntu("ask", question, "--lang", lang, "--json")
    assert done.code == 0
    assert json.loads(done.out)["lang"] == expected


@pytest.mark.usefixtures("built")
def test_earlier_questions_are_taken_along_and_it_is_said_how_the_question_was_understood(yuntu: Yuntu) -> None:
    done = yuntu("ask", "那阿里云呢", "--turn", "上半年市场增长了吗", "--turn", QUESTION)
    assert done.code == 0
    answer = json.loads(yuntu("ask", "那阿里云呢", "--turn", "上半年市场增长了吗", "--turn", QUESTION, "--json").out)
    assert answer["question"] == "那阿里云呢"
    assert ("按「" in done.err) == (answer["understood_as"] != "那阿里云呢")
    assert "按「" not in done.out


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("command", ["ask 问题", "search 云", "serve"])
def test_an_index_made_by_another_encoder_is_refused_with_the_command(
    yuntu: Yuntu, fake_encoder: FakeEncoder, command: str
) -> None:
    fake_encoder.fingerprint = "another"
    done = yuntu(*command.split())
    assert (done.code, done.out) == (1, "")
    assert "another encoder" in done.err
    assert "yuntu rebuild --full" in done.err


def test_an_index_made_by_another_tokenizer_is_refused_with_the_command(
    yuntu: Yuntu, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("index.tokenize.fingerprint", lambda: "another")
        assert yuntu("rebuild").code == 0
    done = yuntu("ask", QUESTION)
    assert (done.code, done.out) == (1, "")
    assert "tokenizer" in done.err
    assert "yuntu rebuild --full" in done.err


def test_a_damaged_index_never_answers(yuntu: Yuntu, built: Path) -> None:
    root = built / "var" / "index"
    path = root / snapshot.current_version(root) / "vectors.faiss"
    raw = path.read_bytes()
    path.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    for command in (("ask", QUESTION), ("search", "云"), ("index", "verify")):
        done = yuntu(*command)
        assert done.code == 1
        assert "完好" not in done.out
        assert "vectors.faiss" in done.err
    assert yuntu("rebuild").code == 0
    assert yuntu("ask", QUESTION).code == 0


# --- batch, run, evaluate ---------------------------------------------------------------------------------------------


def test_batch_writes_one_line_a_question_and_a_bad_one_does_not_lose_the_others(yuntu: Yuntu, built: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"id": "a", "question": QUESTION},
        {"id": 2, "question": "", "turns": None},
        {"id": "long", "question": "云" * 100_000},
        {"question": "那阿里云呢", "turns": [QUESTION], "unknown": True},
        {"id": "half", "question": "价\ud83d格?"},
    ]
    done = yuntu("batch", write_rows(built / "q.jsonl", []) or "", "--out", "out.jsonl")
    assert (done.code, (built / "out.jsonl").read_text()) == (0, "")

    (built / "q.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    done = yuntu("batch", "q.jsonl", "--out", "out.jsonl")
    assert (done.code, done.out) == (0, "")
    answers = read_rows(built / "out.jsonl")
    assert [a["id"] for a in answers] == ["a", 2, "long", "4", "half"]
    documents = {d.doc_id: d.text for d in load([Path("corpus")]).documents}
    for a in answers:
        assert list(a) == ["id", "answer", "refused", "reason", "kind", "citations", "latency_ms"]
        assert a["kind"] in KINDS
        assert isinstance(a["latency_ms"], int | float)
        for c in a["citations"]:
            assert list(c) == ["doc", "start", "end", "quote", "readable"]
            assert documents[c["doc"]][c["start"] : c["end"]] == c["quote"]
    assert [(a["refused"], a["reason"], a["kind"]) for a in answers[1:3]] == [(True, "bad_question", "refusal")] * 2


def test_batch_gives_the_answers_ask_gives(yuntu: Yuntu, built: Path) -> None:
    write_rows(built / "q.jsonl", [{"id": "a", "question": QUESTION}])
    yuntu("batch", "q.jsonl", "--out", "out.jsonl")
    (row,) = read_rows(built / "out.jsonl")
    answer = json.loads(yuntu("ask", QUESTION, "--json").out)
    assert (row["answer"], row["refused"], row["reason"]) == (answer["text"], answer["refused"], answer["reason"])
    assert [c["quote"] for c in row["citations"]] == [c["quote"] for c in answer["citations"]]


@pytest.mark.parametrize("verb", ["batch", "run", "evaluate"])
@pytest.mark.parametrize(
    "line",
    ['{"id": "x", "question": ', "问题", "[]", '{"id": "x"}', '{"question": 5}', '{"question": "a", "turns": "b"}'],
    ids=["broken", "not-json", "a-list", "no-question", "no-string", "turns-that-are-no-list"],
)
def test_a_malformed_line_is_named_before_anything_is_written(yuntu: Yuntu, built: Path, verb: str, line: str) -> None:
    good = json.dumps({"id": "a", "question": QUESTION})
    (built / "q.jsonl").write_text(f"{good}\n\n{line}\n{good}\n", encoding="utf-8")
    (built / "out.jsonl").write_text("old")
    done = yuntu(verb, "q.jsonl", *(() if verb == "evaluate" else ("--out", "out.jsonl")))
    assert (done.code, done.out) == (1, "")
    assert "q.jsonl:3:" in done.err
    assert (built / "out.jsonl").read_text() == "old"


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(
    "command", ["batch nowhere.jsonl --out o", "run nowhere.jsonl --out o", "evaluate nowhere.jsonl"]
)
def test_a_question_file_that_is_not_there_exits_1_with_its_name(yuntu: Yuntu, command: str) -> None:
    done = yuntu(*command.split())
    assert (done.code, done.out) == (1, "")
    assert "nowhere.jsonl" in done.err


@pytest.mark.parametrize("verb", ["batch", "run"])
def test_an_output_that_cannot_be_written_exits_1_with_its_name(yuntu: Yuntu, built: Path, verb: str) -> None:
    write_rows(built / "q.jsonl", [{"id": "a", "question": QUESTION}])
    done = yuntu(verb, "q.jsonl", "--out", "nowhere/out.jsonl")
    assert (done.code, done.out) == (1, "")
    assert "nowhere/out.jsonl" in done.err


def test_run_ranks_passages_for_every_query(yuntu: Yuntu, built: Path) -> None:
    rows = [{"id": "a", "question": QUESTION}, {"id": "b", "question": " "}, {"id": "c", "question": "退货率"}]
    done = yuntu("run", write_rows(built / "q.jsonl", rows), "--out", "run.jsonl", "--top-k", "2")
    assert (done.code, done.out) == (0, "")
    assert "b: " in done.err
    found = read_rows(built / "run.jsonl")
    assert [row["id"] for row in found] == ["a", "b", "c"]
    assert [len(row["hits"]) for row in found] == [2, 0, 2]
    for row in found:
        assert list(row) == ["id", "hits", "support", "latency_ms"]
        assert 0 <= row["support"] <= 1
        scores = [hit["score"] for hit in row["hits"]]
        assert scores == sorted(scores, reverse=True)
        for hit in row["hits"]:
            assert list(hit) == ["doc", "passage", "score"]
            assert hit["passage"].startswith(hit["doc"] + "#")
    assert found[2]["hits"][0]["doc"] == "image"


def test_run_is_the_same_twice_but_for_the_time_it_took(yuntu: Yuntu, built: Path) -> None:
    write_rows(built / "q.jsonl", [{"id": "a", "question": QUESTION}])
    for name in ("1.jsonl", "2.jsonl"):
        yuntu("run", "q.jsonl", "--out", name)
    first, second = (read_rows(built / name)[0] for name in ("1.jsonl", "2.jsonl"))
    assert {**first, "latency_ms": 0} == {**second, "latency_ms": 0}


def test_evaluate_scores_answers_as_text_or_json(yuntu: Yuntu, built: Path) -> None:
    rows = [
        {"id": "1", "type": "fact", "question": "退货率下降了多少?", "gold": [["4.2个百分点"]], "docs": ["image"]},
        {"id": "2", "type": "off-topic", "question": "谁发明了电话?", "answerable": False},
    ]
    write_rows(built / "q.jsonl", rows)
    done = yuntu("evaluate", "q.jsonl", "--json")
    assert (done.code, done.err) == (0, "")
    result = json.loads(done.out)
    assert result["questions"] == 2
    assert {kind: row["n"] for kind, row in result["by_type"].items()} == {"fact": 1, "off-topic": 1}
    assert 0 <= result["accuracy"] <= 1
    assert result["quotes_verbatim"] == 1
    assert {"false_refusals", "correct_refusals", "mean_chars", "latency_ms"} <= set(result)
    wrong = round((1 - result["accuracy"]) * 2)
    assert len(result["failures"]) == wrong
    assert all(set(row) == {"id", "type", "why"} for row in result["failures"])

    done = yuntu("evaluate", "q.jsonl")
    assert (done.code, done.err) == (0, "")
    assert f"accuracy: {result['accuracy']}" in done.out.splitlines()


# --- search, audit, index ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("built")
def test_search_prints_the_best_passages_first(yuntu: Yuntu) -> None:
    done = yuntu("search", "退货率", "--top-k", "2", "--json")
    assert (done.code, done.err) == (0, "")
    first, second = done.rows
    for row in (first, second):
        assert list(row) == ["passage", "doc", "start", "end", "score", "dense", "lexical", "text"]
        assert row["start"] < row["end"]
    assert first["doc"] == "image"
    assert first["score"] >= second["score"]
    shown = yuntu("search", "退货率", "--top-k", "2")
    assert shown.code == 0
    assert shown.out.startswith(f"1. {first['passage']} ")
    assert f"\n2. {second['passage']} " in shown.out
    assert first["text"] in shown.out


def test_figures_prints_the_ledger(yuntu: Yuntu, tmp_path: Path) -> None:
    write_corpus(tmp_path / "corpus", {"a.txt": "华星科技2024年营收达300亿元。\n明达公司的员工人数为2000人。\n"})
    assert yuntu("figures").code == 1  # no index yet
    assert yuntu("rebuild").code == 0
    fields = {
        "doc",
        "start",
        "end",
        "quote",
        "subject",
        "attribute",
        "value",
        "number",
        "unit",
        "as_of",
        "scope",
        "said_by",
    }
    rows = yuntu("figures", "--json").rows
    assert [row["value"] for row in rows] == ["300亿元", "2000人"]
    assert all(fields <= set(row) and row["value"] in row["quote"] for row in rows)
    assert [row["value"] for row in yuntu("figures", "--subject", "明达", "--json").rows] == ["2000人"]
    assert [row["value"] for row in yuntu("figures", "--period", "2024", "--json").rows] == ["300亿元"]
    assert yuntu("figures", "--csv").out.splitlines()[0].startswith("doc,start,end,quote,subject")
    assert "华星科技\t营收\t300亿元\t2024" in yuntu("figures").out
    assert yuntu("figures", "--json", "--csv").code == 2


def test_audit_needs_no_index_and_tells_what_was_left_out_by_which_rule(yuntu: Yuntu, tmp_path: Path) -> None:
    text = "中國(guó)的雲市場在成長，各家廠商的份額都在變化，價格也一降再降。\n免責聲明：本文不是建議。\n"
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    (tmp_path / "bad.txt").write_bytes(b"\0")
    done = yuntu("audit", "--corpus", ".", "--json")
    assert done.code == 0
    assert "bad.txt" in done.err
    rows = done.rows
    assert {row["rule"] for row in rows} >= {"stray_pinyin", "disclaimer"}
    for row in rows:
        assert list(row) == ["doc", "rule", "start", "end", "text", "replacement"]
        assert text[row["start"] : row["end"]] == row["text"]
    shown = yuntu("audit", "--corpus", ".")
    assert shown.code == 0
    assert "字后注音 (stray_pinyin) 2-7: (guó)\n" in shown.out
    assert "免责声明 (disclaimer) 36-49: 免責聲明：本文不是建議。\n" in shown.out
    assert "留 31/49 字" in shown.out
    assert "nothing says otherwise" in shown.out  # of the kind of source
    assert "keep:" in shown.err
    only = yuntu("audit", "--corpus", ".", "--doc", "a", "--rule", "disclaimer", "--json")
    assert [row["rule"] for row in only.rows] == ["disclaimer"]
    assert yuntu("audit", "--corpus", ".", "--doc", "nowhere").code == 1
    assert yuntu("audit", "--corpus", "nowhere").code == 1


def test_a_rule_switched_off_for_all_is_off_in_audit_and_rebuild(
    yuntu: Yuntu, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = "免責聲明：本文不是建議，市場有風險，各家廠商的份額都在變化。"
    write_corpus(tmp_path / "corpus", {"a.txt": f"中國的雲市場在成長，各家廠商的份額都在變化。\n{line}\n"})
    assert yuntu("rebuild").code == 0
    first = snapshot.open_current(tmp_path / "var" / "index")
    assert line not in "".join(p.text for p in first.passages)
    monkeypatch.setenv("YUNTU_KEEP", "disclaimer")
    assert "disclaimer" not in yuntu("audit").out
    assert yuntu("rebuild").code == 0
    second = snapshot.open_current(tmp_path / "var" / "index")
    assert line in "".join(p.text for p in second.passages)
    monkeypatch.setenv("YUNTU_KEEP", "disclaimr")
    refused = yuntu("rebuild")
    assert refused.code == 1
    assert "disclaimr" in refused.err


def test_rebuild_says_which_files_it_does_not_read(yuntu: Yuntu, tmp_path: Path) -> None:
    write_corpus(tmp_path / "corpus")
    for name in ("a.doc", "b.doc", "c.png"):
        (tmp_path / "corpus" / name).write_bytes(b"x")
    done = yuntu("rebuild")
    assert done.code == 0
    assert ".doc 2 个、.png 1 个" in done.err


def test_add_shows_what_is_kept_and_writes_it_and_remove_takes_it_out(yuntu: Yuntu, tmp_path: Path) -> None:
    page = (
        "<html><head><title>云市场半年报</title></head><body><nav><a href='/'>首页</a></nav>"
        "<article><h1>云市场半年报</h1>"
        "<p>二〇二五年上半年，衡山云在公有云市场的份额为31.5%，比去年同期高四个百分点。</p></article></body></html>"
    )
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    looked = yuntu("add", "page.html", "--dry-run")
    assert looked.code == 0
    assert "dry run" in looked.out
    assert not (tmp_path / "corpus").exists()
    done = yuntu("add", "page.html", "nowhere.pdf")
    assert done.code == 1  # one of two
    assert "nowhere.pdf" in done.err
    assert "31.5%" in done.out
    assert "正文之外" in done.out
    written = tmp_path / "corpus" / "page.md"
    assert "31.5%" in written.read_text(encoding="utf-8")
    assert yuntu("rebuild").code == 0
    assert yuntu("add", "page.html").code == 1  # there already
    assert yuntu("add", "page.html", "--replace").code == 0
    assert yuntu("remove", "page").code == 0
    assert not written.exists()
    assert yuntu("remove", "page").code == 1


def test_coverage_says_what_is_held_and_what_is_not(yuntu: Yuntu, tmp_path: Path) -> None:
    text = (
        "华星科技2024年营收达300亿元。\n明达公司2024年营收达20亿元。\n华星科技2024年的市场份额为30%。\n"
        "远山公司2025年的市场份额为12%。\n"
    )
    write_corpus(tmp_path / "corpus", {"a.txt": text})
    assert yuntu("coverage").code == 1  # no index yet
    assert yuntu("rebuild").code == 0
    done = yuntu("coverage", "--json")
    held = {(row["subject"], row["measure"]): row["periods"] for row in done.rows}
    assert held["华星科技", "营收"] == {"2024": 1}
    assert held["明达公司", "份额"] == {}  # others have it
    shown = yuntu("coverage", "--subject", "明达公司")
    assert "营收\t2024" in shown.out
    assert "没有 (none)" not in shown.out  # alone, nobody else is measured
    assert yuntu("coverage", "--subject", "没有这家").code == 1
    assert yuntu("coverage", "--most", "0").code == 2


def test_index_lists_verifies_and_rolls_back(yuntu: Yuntu, built: Path) -> None:
    root = built / "var" / "index"
    first = snapshot.current_version(root)
    assert yuntu("index", "list").out.splitlines() == [f"* {first}  3 篇 3 段"]
    assert yuntu("index", "verify") == Done(0, f"* {first}: 完好 (sound)\n", "")
    assert yuntu("index", "verify", first) == yuntu("index", "verify")

    (built / "corpus" / "hant.txt").unlink()
    yuntu("rebuild")
    second = snapshot.current_version(root)
    assert yuntu("index", "list").out.splitlines() == [f"* {second}  2 篇 2 段", f"  {first}  3 篇 3 段"]
    assert yuntu("index", "rollback", first) == Done(0, f"{second} → {first}\n", "")
    assert yuntu("index", "list").out.splitlines() == [f"  {second}  2 篇 2 段", f"* {first}  3 篇 3 段"]
    assert yuntu("ask", QUESTION).code == 0


@pytest.mark.parametrize("version", ["v-0123456789ab", "..", "CURRENT", ""])
def test_rolling_back_to_no_version_exits_1_and_changes_nothing(yuntu: Yuntu, built: Path, version: str) -> None:
    before = snapshot.current_version(built / "var" / "index")
    done = yuntu("index", "rollback", version)
    assert (done.code, done.out) == (1, "")
    assert "yuntu index list" in done.err
    assert snapshot.current_version(built / "var" / "index") == before


def test_a_damaged_version_is_listed_as_such_and_never_rolled_back_to(yuntu: Yuntu, built: Path) -> None:
    root = built / "var" / "index"
    first = snapshot.current_version(root)
    (built / "corpus" / "hant.txt").unlink()
    yuntu("rebuild")
    second = snapshot.current_version(root)
    (root / first / "sentences.npy").write_bytes(b"")
    done = yuntu("index", "rollback", first)
    assert (done.code, done.out) == (1, "")
    assert "sentences.npy" in done.err
    (root / first / "manifest.json").write_bytes(b"{}")
    listed = yuntu("index", "list")
    assert listed.code == 0
    assert f"* {second}  2 篇 2 段" in listed.out
    assert f"  {first}  索引已损坏" in listed.out
    assert snapshot.current_version(root) == second


@pytest.mark.parametrize("damage", [None, b"\xff"], ids=["lost", "garbled"])
def test_a_lost_current_is_found_again_by_list_and_rollback(yuntu: Yuntu, built: Path, damage: bytes | None) -> None:
    root = built / "var" / "index"
    version = snapshot.current_version(root)
    (root / "CURRENT").unlink()
    if damage:
        (root / "CURRENT").write_bytes(damage)
    answered = yuntu("ask", QUESTION)
    assert answered.code == 0
    assert "CURRENT" in answered.err
    assert f"改用完好的版本 {version}" in answered.err
    listed = yuntu("index", "list")
    assert (listed.code, listed.out) == (0, f"  {version}  3 篇 3 段\n")
    assert listed.err
    assert yuntu("index", "rollback", version).out == f"? → {version}\n"
    assert "CURRENT" not in yuntu("ask", QUESTION).err


@pytest.mark.usefixtures("built")
def test_serve_says_where_and_serves_the_pages_there(yuntu: Yuntu, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[Any] = []
    monkeypatch.setattr(
        "uvicorn.Server.run", lambda self, sockets: served.append((self.config, sockets[0].getsockname()))
    )
    done = yuntu("serve", "--host", "127.0.0.2", "--port", "8123")
    assert (done.code, done.out) == (0, "")
    assert "http://127.0.0.2:8123" in done.err
    ((config, address),) = served
    assert address == ("127.0.0.2", 8123)
    assert config.server_header is False
    assert callable(config.app)


# --- as a process -----------------------------------------------------------------------------------------------------

PROGRAM = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a suite run in the background inherits it ignored
import index.build, index.encode
from tests.fakes import FakeEncoder

class Encoder(FakeEncoder):
    def encode_passages(self, texts):
        print("encoding", file=sys.stderr, flush=True)
        {while_encoding}
        return super().encode_passages(texts)

index.encode.load_encoder = lambda *_, **__: Encoder()
index.build.fingerprint_of = lambda _: FakeEncoder.fingerprint
from web.cli import main
sys.exit(main())
"""


def start(folder: Path, *arguments: str, while_encoding: str = "pass", **options: Any) -> "subprocess.Popen[bytes]":
    program = PROGRAM.format(while_encoding=while_encoding)
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.Popen([sys.executable, "-c", program, *arguments], cwd=folder, env=environ, **options)


def test_ctrl_c_while_encoding_exits_130_and_leaves_the_index(built: Path) -> None:
    root = built / "var" / "index"
    before = {p.name for p in root.iterdir()}
    with start(built, "rebuild", "--full", while_encoding="import time; time.sleep(30)") as process:
        assert process.stderr is not None
        for line in process.stderr:
            if b"encoding" in line:
                break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (130, b"")
    assert "interrupted" in err.decode()
    assert {p.name for p in root.iterdir()} == before
    snapshot.open_current(root)


def test_chinese_comes_out_as_utf8_whatever_the_locale(built: Path) -> None:
    with start(built, "search", "退货率") as process:
        out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, b"")
    assert "退货率下降了4.2个百分点" in out.decode()


def test_a_reader_that_has_seen_enough_is_no_error(built: Path) -> None:
    with start(built, "search", "退货率") as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        err = process.stderr.read()
    assert (process.returncode, err) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_results_that_cannot_be_written_are_an_error(built: Path) -> None:
    with Path("/dev/full").open("wb") as full, start(built, "index", "list", stdout=full) as process:
        _, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "No space left on device" in err.decode()


def test_help_and_usage_errors_import_nothing_heavy(tmp_path: Path) -> None:
    program = (
        "import sys; from web.cli import main\n"
        "try: main(['ask', '--help'])\n"
        "except SystemExit: pass\n"
        "print({'torch', 'transformers', 'fastapi', 'trafilatura'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr == "set()\n"
