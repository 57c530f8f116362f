"""What a stranger sees after `make run`: the shipped digests answer, cite, and refuse."""

import pytest

from rag.assistant import Assistant

pytestmark = pytest.mark.slow


def test_every_example_question_is_answered_from_its_own_digest(shipped: Assistant) -> None:
    for document in shipped.documents():
        for question in document.examples:
            answer = shipped.ask(question)
            assert not answer.refused, question
            assert answer.citations[0].doc_id == document.doc_id, question


def test_every_quote_is_verbatim_and_every_mark_has_its_citation(shipped: Assistant) -> None:
    for question in shipped.examples():
        answer = shipped.ask(question)
        for c in answer.citations:
            assert shipped.document(c.doc_id).text[c.start : c.end] == c.quote
            assert 0 < len(c.quote) <= 200
            assert f"[{c.marker}]" in answer.text


def test_our_words_are_never_passed_off_as_the_publishers(shipped: Assistant) -> None:
    answer = shipped.ask(shipped.examples()[0])
    assert {c.source_kind for c in answer.citations} == {"digest"}
    assert "摘要,非原文" in answer.text


@pytest.mark.parametrize(
    "question", ["红烧肉怎么做？", "明天北京的天气怎么样？", "Who wrote Hamlet?", "如何更換機車輪胎？"]
)
def test_what_has_nothing_to_do_with_the_corpus_is_refused_with_a_reason(shipped: Assistant, question: str) -> None:
    answer = shipped.ask(question)
    assert answer.refused
    assert answer.reason is not None


@pytest.mark.parametrize(
    ("question", "lang", "word"),
    [
        ("阿里云在全球有多少个可用区？", "zh-Hans", "89"),
        ("阿里雲在全球有多少個可用區？", "zh-Hant", "89"),
        ("How many availability zones does Alibaba Cloud operate worldwide?", "en", "89"),
    ],
)
def test_the_same_question_is_answered_in_each_language(
    shipped: Assistant, question: str, lang: str, word: str
) -> None:
    answer = shipped.ask(question)
    assert (answer.lang, answer.refused) == (lang, False)
    assert word in answer.text


def test_the_same_question_gives_the_same_answer(shipped: Assistant) -> None:
    first, second = (shipped.ask(shipped.examples()[1]).as_json() for _ in range(2))
    assert {**first, "timings_ms": 0} == {**second, "timings_ms": 0}


def test_an_answer_in_another_language_can_be_asked_for(shipped: Assistant) -> None:
    question = shipped.examples()[0]
    assert shipped.ask(question, lang="en").lang == "en"
    assert "資料" in shipped.ask("红烧肉怎么做？", lang="zh-Hant").text
