"""The lexical leg: BM25 as the books have it, and files that are the same every time."""

import hashlib
import math
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.lexical import K1, B, Lexical
from index.terms import Terms, Vocabulary

ROOT = Path(__file__).parents[2]
PASSAGES = [
    ["云", "云", "份额"],
    ["云", "模型"],
    ["模型", "价格", "价格", "价格", "价格"],
]


def idf(df: int, n: int = 3) -> float:
    return math.log(1 + (n - df + 0.5) / (df + 0.5))


def bm25(term: str, passage: list[str], df: int) -> float:
    """Robertson's BM25 as Lucene has it: without the (k1 + 1) above the line."""
    tf, mean_length = passage.count(term), 10 / 3
    return idf(df) * tf / (tf + K1 * (1 - B + B * len(passage) / mean_length))


@pytest.fixture(scope="module")
def lexical() -> Lexical:
    return Lexical.build(PASSAGES)


@pytest.mark.parametrize(
    ("query", "df"),
    [(["云"], {"云": 2}), (["模型", "价格"], {"模型": 2, "价格": 1}), (["份额", "份额"], {"份额": 1})],
    ids=["one-term", "two-terms", "a-term-twice-counts-twice"],
)
def test_scores_are_bm25_by_hand(lexical: Lexical, query: list[str], df: dict[str, int]) -> None:
    by_hand = [sum(bm25(term, passage, df[term]) for term in query) for passage in PASSAGES]
    scores = lexical.scores(query)
    np.testing.assert_allclose(scores, by_hand, rtol=1e-6)
    assert scores.dtype == np.float32


def test_a_passage_without_any_of_the_terms_scores_nothing(lexical: Lexical) -> None:
    assert lexical.scores(["份额"])[1:].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("query", [[], ["没有"], [""], ["", "没有"]], ids=["empty", "unknown", "blank", "both"])
def test_a_query_nothing_is_known_of_scores_nothing_anywhere(lexical: Lexical, query: list[str]) -> None:
    assert lexical.scores(query).tolist() == [0.0, 0.0, 0.0]


def test_unknown_terms_change_no_score(lexical: Lexical) -> None:
    np.testing.assert_array_equal(lexical.scores(["云", "没有"]), lexical.scores(["云"]))


def test_a_term_is_the_rarer_the_fewer_passages_hold_it(lexical: Lexical) -> None:
    assert lexical.terms.idf("云") == pytest.approx(idf(2))
    assert lexical.terms.idf("价格") == pytest.approx(idf(1))  # of passages, not of places
    assert lexical.terms.idf("没有") == pytest.approx(idf(0))
    assert lexical.terms.idf("没有") > lexical.terms.idf("价格") > lexical.terms.idf("云") > 0


@given(st.lists(st.sampled_from(["云", "份额", "模型", "价格", "没有"]), max_size=8))
def test_no_passage_scores_above_the_ceiling(query: list[str]) -> None:
    lexical = Lexical.build(PASSAGES)
    assert (lexical.scores(query) <= lexical.terms.ceiling(query) + 1e-6).all()


@pytest.mark.filterwarnings("ignore:invalid value encountered")  # the mean length is 0
@pytest.mark.parametrize("passages", [[[], []], [["云"], [], ["云"]]], ids=["all", "one"])
def test_passages_without_terms_score_nothing(passages: list[list[str]]) -> None:
    scores = Lexical.build(passages).scores(["云"])
    assert [score > 0 for score in scores] == ["云" in passage for passage in passages]


def test_what_was_saved_opens_as_it_was(lexical: Lexical, tmp_path: Path) -> None:
    lexical.save(tmp_path / "bm25")
    opened = Lexical.open(tmp_path / "bm25", Terms.open(tmp_path / "bm25", len(PASSAGES)))
    for query in (["云"], ["价格", "模型", "没有"], []):
        np.testing.assert_array_equal(opened.scores(query), lexical.scores(query))
        assert opened.terms.ceiling(query) == lexical.terms.ceiling(query)


def test_nothing_that_was_saved_is_pickled(lexical: Lexical, tmp_path: Path) -> None:
    lexical.save(tmp_path)
    for file in tmp_path.iterdir():
        if file.suffix == ".npy":
            assert np.load(file, allow_pickle=False).dtype != object
        else:
            assert file.suffix == ".json", file


def test_equal_passages_give_equal_files_whatever_the_hash_seed(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from index.lexical import Lexical\n"
        "passages = [[f't{n * k % 97}' for k in range(1, 30)] for n in range(50)]\n"
        "Lexical.build(passages).save(Path(sys.argv[1]))"
    )
    seen = set()
    for seed in ("1", "2"):
        folder = tmp_path / seed
        subprocess.run(
            [sys.executable, "-c", program, str(folder)],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
        )
        files = sorted(folder.iterdir())
        assert files
        seen.add(tuple((f.name, hashlib.sha256(f.read_bytes()).hexdigest()) for f in files))
    assert len(seen) == 1


# --- the best, and those that hold all --------------------------------------------------------------------------------


WORDS = [f"t{n}" for n in range(12)]
many_passages = st.lists(st.lists(st.sampled_from(WORDS), max_size=6), min_size=1, max_size=12)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.integers(0, 35))
def test_the_best_are_the_first_of_a_full_sort(lexical: Lexical, values: list[int], most: int) -> None:
    scores = np.array(values, np.float32)
    best = lexical.best(scores, most)
    expected = sorted((s for s in values if s > 0), reverse=True)[:most]
    assert sorted(scores[best].tolist(), reverse=True) == expected
    assert len(set(best.tolist())) == len(best)


@pytest.mark.filterwarnings("ignore:invalid value encountered")  # the mean length is 0
@given(many_passages, st.lists(st.sampled_from([*WORDS, "没有"]), max_size=4))
def test_those_that_hold_all_terms_are_found_as_by_looking_at_each(passages: list[list[str]], terms: list[str]) -> None:
    found = Lexical.build(passages).holding(terms)
    assert found.tolist() == [n for n, own in enumerate(passages) if set(terms) <= set(own)]


def test_an_opened_index_finds_those_that_hold_all_too(lexical: Lexical, tmp_path: Path) -> None:
    lexical.save(tmp_path / "bm25")
    opened = Lexical.open(tmp_path / "bm25", Terms.open(tmp_path / "bm25", len(PASSAGES)))
    for terms in (["云"], ["云", "模型"], ["云", "价格"], ["没有"], ["模型", "模型"], []):
        assert opened.holding(terms).tolist() == lexical.holding(terms).tolist()
    assert opened.holding(["云", "模型"]).tolist() == [1]


@pytest.mark.filterwarnings("ignore:invalid value encountered")  # the mean length is 0
def test_passages_without_any_term_can_be_saved_and_opened(tmp_path: Path) -> None:
    Lexical.build([[], []]).save(tmp_path / "bm25")
    opened = Lexical.open(tmp_path / "bm25", Terms.open(tmp_path / "bm25", 2))
    assert opened.scores(["云"]).tolist() == [0.0, 0.0]
    assert opened.terms.vocabulary() == []


# --- the vocabulary ---------------------------------------------------------------------------------------------------


def in_order(terms: Iterable[str]) -> list[str]:
    return sorted(terms, key=lambda t: t.encode("utf-8", "surrogatepass"))


any_term = st.text(st.characters(codec=None), max_size=4)


@given(st.sets(any_term, max_size=40), st.lists(any_term, max_size=10))
def test_every_term_is_found_in_its_place_and_no_other_is(terms: set[str], others: list[str]) -> None:
    vocabulary = Vocabulary.of(in_order(terms))
    assert [vocabulary[t] for t in in_order(terms)] == list(range(len(terms)))
    assert list(vocabulary) == in_order(terms)
    assert len(vocabulary) == len(terms)
    for other in set(others) - terms:
        assert other not in vocabulary
        assert vocabulary.get(other) is None
        with pytest.raises(KeyError):
            vocabulary[other]


@given(terms=st.sets(any_term, min_size=1, max_size=20))
def test_a_vocabulary_opens_as_it_was_saved(terms: set[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("terms")
    Vocabulary.of(in_order(terms)).save(folder)
    opened = Vocabulary.open(folder)
    assert dict(opened) == {t: n for n, t in enumerate(in_order(terms))}


def test_what_is_no_term_at_all_is_not_in_it() -> None:
    assert 3 not in Vocabulary.of(["3"])
