"""Work over all documents: the same with processes and without."""

import math
from pathlib import Path

import pytest

from index import pool
from index.pool import is_worth_it, over_all
from index.values import Document
from tests.index.small import build, write_corpus


@pytest.mark.parametrize("processes", [False, True], ids=["here", "in-processes"])
def test_results_come_in_the_order_given(processes: bool) -> None:
    given = [float(n * 37 % 50) for n in range(60)]
    assert over_all(math.sqrt, given, "根", processes=processes) == [math.sqrt(n) for n in given]


@pytest.mark.parametrize("processes", [False, True], ids=["here", "in-processes"])
def test_what_the_work_raises_is_raised_here(processes: bool) -> None:
    with pytest.raises(ValueError, match="domain"):
        over_all(math.sqrt, [1.0, -1.0, 4.0], "根", processes=processes)


@pytest.mark.parametrize("processes", [False, True], ids=["here", "in-processes"])
def test_nothing_to_do_is_done(processes: bool) -> None:
    assert over_all(math.sqrt, [], "根", processes=processes) == []


def test_processes_are_worth_it_for_much_text_on_several_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "WORTH_IT", 10)
    little, much = [Document("a", "", "字" * 10)], [Document("a", "", "字" * 10), Document("b", "", "字")]
    monkeypatch.setattr(pool, "cores", lambda: 2)
    assert not is_worth_it(little)
    assert is_worth_it(much)
    monkeypatch.setattr(pool, "cores", lambda: 1)
    assert not is_worth_it(much)


@pytest.mark.slow
@pytest.mark.usefixtures("fake_encoder")
def test_a_rebuild_with_processes_makes_the_version_that_one_without_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = write_corpus(tmp_path / "corpus")
    version = build(corpus, tmp_path / "here").version
    monkeypatch.setattr(pool, "WORTH_IT", 0)
    monkeypatch.setattr(pool, "cores", lambda: 2)
    assert build(corpus, tmp_path / "there").version == version
