"""English words → the Chinese words of a corpus that may translate them."""

from index.bilingual import is_common, stems, translations

WRITTEN = {"裁员", "员工", "博士", "官司", "毛利"}


def test_only_words_the_corpus_writes_are_translations() -> None:
    found = translations(WRITTEN.__contains__)
    assert set(found["lay off"]) == {"裁员"}
    assert set(found["lawsuit"]) == {"官司"}
    assert {w for chinese in found.values() for w in chinese} <= WRITTEN


def test_the_first_meaning_is_the_nearest() -> None:
    found = translations({"博士"}.__contains__)
    assert found["doctor"]["博士"] < found["phd"]["博士"]


def test_what_only_english_pages_write_is_kept_for_questions_in_chinese() -> None:
    assert "资本" in translations(lambda _: False, english={"capit"})["capit"]


def test_nothing_is_translated_into_an_empty_corpus() -> None:
    assert translations(lambda _: False) == {}


def test_endings_and_abbreviations_are_one_word() -> None:
    assert [w for w, _, _ in stems("ph.d. phds employees employee's 3.5%")] == [
        "phd",
        "phd",
        "employe",
        "employe",
        "3.5%",
    ]
    text = "laying off staff"
    assert [text[a:b] for _, a, b in stems(text)] == ["laying", "off", "staff"]


def test_a_name_is_no_common_word() -> None:
    assert is_common("cloud")
    assert not is_common("xinglan")
