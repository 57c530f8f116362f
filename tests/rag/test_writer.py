"""A language model words an answer: what holds is shown, what does not is not; where it fails the template stands."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from index.errors import BadSettings
from index.fold import fold_text
from index.settings import Settings
from index.values import Document, Figure, Sentence
from rag.assistant import Assistant
from rag.llm import LanguageModel, ModelFailed, load_model
from rag.progress import told_to
from rag.stated import Evidence
from rag.writer import Draft, NotWritten, Writer, sentences_of
from tests.rag.scripted_models import ALSO_GOOD, GOOD, SAYS, models

pytestmark = pytest.mark.alone

TEXTS = (
    "按 IDC 口径，2025年上半年火山引擎拿下中国公有云大模型调用量的49.2%，排名第一。",
    "按 IDC 口径，2025年上半年阿里云占中国公有云大模型调用量的27%，排第二位。",
    "2025年上半年中国公有云大模型调用量为536.7万亿 Tokens。",
)
OWNERS = (
    ("火山引擎", "中国公有云大模型调用量占比", "49.2%", 0.492, "%"),
    ("阿里云", "中国公有云大模型调用量占比", "27%", 0.27, "%"),
)
SOURCE = Document("idc", "大模型公有云服务市场", "\n".join(TEXTS), "IDC", published="2025-10-18", source_kind="digest")
TEMPLATED = ["llm_unsupported", "llm_bad_output", "llm_timeout", "llm_status", "llm_refused", "llm_unreachable"]


def evidence() -> tuple[Evidence, ...]:
    found = []
    for n, text in enumerate(TEXTS):
        start = SOURCE.text.index(text)
        s = Sentence("idc", start, start + len(text), text, fold_text(text))
        figures = ()
        if n < len(OWNERS):
            subject, what, value, number, unit = OWNERS[n]
            figures = (
                Figure(
                    f"idc:{n}", "idc", subject, what, value, number, unit, None, "2025H1", "IDC", "IDC", s.start, s.end
                ),
            )
        found.append(Evidence(n + 1, s, SOURCE, figures))
    return tuple(found)


def draft(lang: str = "zh-Hans", **changed: Any) -> Draft:
    return Draft("火山引擎占多大份额？", lang, evidence(), TEXTS[0], 1, **changed)


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    Writer.warm_up()  # as an Assistant does: a model's time is its own
    with models() as running:
        yield running


def writer(server: Any, model: str, timeout_s: float = 1.5) -> Writer:
    return Writer(LanguageModel(server.url, model, SecretStr("sk-hidden"), timeout_s, allow_private=True))


def sentences_shown(text: str) -> list[str]:
    return list(sentences_of([text.partition("\n\n")[0]]))


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("good", [GOOD, ALSO_GOOD]),
        ("good-converted", [SAYS["good-converted"]]),
        ("good-thinking", [GOOD]),
        ("good-list", [GOOD, ALSO_GOOD]),
        ("repeated", [GOOD]),
        ("mixed", [GOOD, ALSO_GOOD]),
        ("whole", [GOOD]),
        ("paced", [GOOD, ALSO_GOOD]),
    ],
)
def test_what_the_evidence_bears_out_is_shown_and_nothing_else(server: Any, model: str, said: list[str]) -> None:
    heard: list[str] = []
    written = writer(server, model).write(draft(), {}, heard.append)
    assert sentences_shown(written.text) == heard == said
    assert (written.dropped > 0) is (model == "mixed")


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        *(
            (name, "llm_unsupported")
            for name in SAYS
            if name
            not in ("good", "good-converted", "good-thinking", "good-list", "repeated", "mixed", "empty", "blank")
        ),
        ("empty", "llm_bad_output"),
        ("blank", "llm_bad_output"),
        ("endless", "llm_bad_output"),
        ("endless-line", "llm_bad_output"),
        ("slow", "llm_timeout"),
        ("dripping", "llm_timeout"),
        ("disconnecting", None),
        ("page", "llm_bad_output"),
        ("bad-json", "llm_bad_output"),
        ("other-shape", "llm_bad_output"),
        ("nested", "llm_bad_output"),
        ("http-500", "llm_status"),
        ("http-401", "llm_status"),
        ("redirect", "llm_status"),
        ("gzip-bomb", "llm_bad_output"),
        ("filtered", "llm_refused"),
    ],
)
def test_the_templated_answer_stands_where_too_little_holds(server: Any, model: str, reason: str | None) -> None:
    heard: list[str] = []
    began = time.monotonic()
    with pytest.raises(NotWritten) as e:
        writer(server, model).write(draft(), {}, heard.append)
    assert e.value.reason == reason or (reason is None and e.value.reason in TEMPLATED)
    assert all(sentence == GOOD for sentence in heard)  # said and sound, before the connection broke
    assert time.monotonic() - began < 4


def test_a_sentence_is_told_as_soon_as_the_model_has_ended_it(server: Any) -> None:
    at: list[float] = []
    writer(server, "paced").write(draft(), {}, lambda _: at.append(time.monotonic()))
    assert at[0] - server.said_at < 0.1
    assert at[1] - at[0] > 0.3


def test_the_prompt_gives_the_evidence_and_its_figures_and_the_key_goes_along(server: Any) -> None:
    writer(server, "good").write(draft(), {}, lambda _: None)
    body, headers = server.asked[-1]
    prompt = "\n".join(m["content"] for m in body["messages"])
    assert all(f"[{n}]" in prompt and text in prompt for n, text in enumerate(TEXTS, 1))
    assert "口径 IDC" in prompt
    assert "时期 2025H1" in prompt
    assert headers["Authorization"] == "Bearer sk-hidden"


def test_who_says_so_when_and_that_it_is_a_digest_stands_below_the_prose(server: Any) -> None:
    text = writer(server, "good").write(draft(table="| 表 |", note="（按「火山引擎」理解）"), {}, lambda _: None).text
    assert text.startswith("（按「火山引擎」理解）\n\n")
    assert "[1](IDC,2025-10-18,摘要,非原文)" in text
    assert text.endswith("| 表 |")
    assert "[3]" not in text


def test_a_traditional_answer_is_in_traditional_characters(server: Any) -> None:
    text = writer(server, "good").write(draft("zh-Hant"), {}, lambda _: None).text
    assert "調用量" in text
    assert "调用量" not in text


def test_an_english_answer_is_checked_against_the_chinese_evidence(server: Any) -> None:
    text = writer(server, "english").write(draft("en"), {}, lambda _: None).text
    assert text.startswith("In H1 2025, Volcano Engine held 49.2% of calls [1].")


@pytest.mark.parametrize(
    ("pieces", "sentences"),
    [
        (["2024年为3.", "5亿[1]", "。", "下一句[2]。"], ["2024年为3.5亿[1]。", "下一句[2]。"]),
        (["It was 3.5 billion [1]. ", "Then 4", ".2 [2]."], ["It was 3.5 billion [1].", "Then 4.2 [2]."]),
        (["甲。[1]乙。[2]"], ["甲。[1]", "乙。[2]"]),
        (["<think>甲[1]。", "</think>乙[1]。"], ["乙[1]。"]),
    ],
)
def test_a_stream_is_cut_into_sentences_with_their_markers(pieces: list[str], sentences: list[str]) -> None:
    assert list(sentences_of(pieces)) == sentences


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/v1", "http://localhost:11434/v1", "http://10.0.0.8/v1", "http://[::1]/v1"]
)
def test_an_address_inside_the_network_is_refused_unless_it_is_allowed(url: str) -> None:
    settings = Settings.from_env({"YUNTU_LLM_BASE_URL": url, "YUNTU_LLM_MODEL": "m"})
    with pytest.raises(BadSettings, match="private"):
        load_model(settings)
    assert load_model(settings.model_copy(update={"llm_allow_private": True}))


def test_a_name_that_means_an_inside_address_is_refused_when_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(0, 0, 0, "", ("192.168.1.9", 0))])
    model = LanguageModel("http://llm.example/v1", "m", SecretStr(""), 1.0, allow_private=False)
    with pytest.raises(ModelFailed) as e:
        list(model.pieces([]))
    assert e.value.reason == "llm_private"


@pytest.mark.parametrize(
    "wrong",
    [
        {"LLM_BASE_URL": "ftp://x"},
        {"LLM_BASE_URL": "https://k:p@x/v1"},
        {"LLM_BASE_URL": "https://api.example/v1", "LLM_MODEL": ""},
    ],
)
def test_settings_that_cannot_work_stop_the_start(wrong: dict[str, str]) -> None:
    with pytest.raises(BadSettings):
        load_model(Settings.from_env({f"YUNTU_{k}": v for k, v in {"LLM_MODEL": "m", **wrong}.items()}))


def test_the_key_is_in_no_words_of_ours(server: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings.from_env(
        {"YUNTU_LLM_BASE_URL": "https://x/v1", "YUNTU_LLM_MODEL": "m", "YUNTU_LLM_API_KEY": "sk-hidden"}
    )
    with pytest.raises(NotWritten) as e:
        writer(server, "http-401").write(draft(), {}, lambda _: None)
    assert not any(
        "sk-hidden" in said for said in (repr(settings), repr(load_model(settings)), str(e.value), caplog.text)
    )


def asked(shipped: Assistant, server: Any, model: str) -> Assistant:
    own = {"llm_base_url": server.url, "llm_model": model, "llm_allow_private": True, "llm_timeout_s": 5.0}
    made: Assistant = shipped.over.func(
        shipped._snapshot, shipped._encoder, shipped._settings.model_copy(update=own), shipped._reader
    )
    made.warm_up()
    return made


QUESTION = "2025年上半年火山引擎在中国公有云大模型调用量里占多大份额？"


@pytest.mark.slow
def test_an_answer_of_the_corpus_is_worded_and_each_sentence_is_told_as_it_is_sure(
    shipped: Assistant, server: Any
) -> None:
    templated, told = shipped.ask(QUESTION), []
    assistant = asked(shipped, server, "good")
    with told_to(lambda stage, words: told.append((stage, words))):
        answer = assistant.ask(QUESTION)
    assert (answer.mode, answer.notice, templated.notice) == ("llm", "llm_partial", None)  # there is no evidence [2]
    assert answer.text.startswith(GOOD)
    assert ("sentence", GOOD) in told
    assert answer.citations == templated.citations
    before = len(server.asked)
    assert assistant.ask(QUESTION).text == answer.text
    assert len(server.asked) == before  # remembered


@pytest.mark.slow
def test_where_the_model_fails_the_templated_answer_stands_and_says_so_and_it_is_asked_again(
    shipped: Assistant, server: Any
) -> None:
    assistant = asked(shipped, server, "swapped-company")
    before = len(server.asked)
    answers = [assistant.ask(QUESTION) for _ in range(2)]
    assert {(a.mode, a.notice, a.text) for a in answers} == {("full", "llm_unsupported", shipped.ask(QUESTION).text)}
    assert len(server.asked) == before + 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "question",
    ["2030年火星上有多少家云厂商？", "该不该买阿里巴巴的股票？", "2025年上半年阿里云以49.2%的调用量份额排第一，对吧？"],
)
def test_what_is_refused_or_put_right_never_reaches_the_model(shipped: Assistant, server: Any, question: str) -> None:
    before = len(server.asked)
    answer = asked(shipped, server, "good").ask(question)
    assert answer.refused or answer.kind == "correction"
    assert len(server.asked) == before
    assert answer.notice is None
