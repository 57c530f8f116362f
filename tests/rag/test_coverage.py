"""Who × what × when, from the ledger."""

from index.values import Figure
from rag.coverage import coverage


def figure(subject: str | None, attribute: str | None, as_of: str | None = None) -> Figure:
    return Figure("d:1", "d", subject, attribute, "1", 1.0, None, None, as_of, None, None, 0, 1)


LEDGER = [
    figure("衡山云", "市场份额", "2025H1"),
    figure("衡山云", "市场份额", "2024"),
    figure("衡山云", "营业收入", "2024-05 至 2025-09"),
    figure("泰岳云", "市场份额", "2025H1"),
    figure("泰岳云", "营业收入"),
    figure("松木云", "市场份额"),
    figure(None, "市场份额"),
    figure("松木云", None),
]


def test_each_cell_counts_the_figures_of_each_period() -> None:
    found = coverage(LEDGER)
    cells = {(c.subject, c.measure): dict(c.periods) for c in found.cells}
    share = next(m for m in found.measures if "份额" in m)
    income = next(m for m in found.measures if "收入" in m)
    assert cells["衡山云", share] == {"2024": 1, "2025H1": 1}
    assert cells["衡山云", income] == {"2024-05": 1, "2025-09": 1}
    assert cells["松木云", share] == {"": 1}
    assert found.missing == (("松木云", income),)


def test_a_subject_alone_and_no_more_than_asked_for() -> None:
    assert set(coverage(LEDGER, subject="泰岳").subjects) == {"泰岳云"}
    assert coverage(LEDGER, subject="没有").cells == ()
    assert len(coverage(LEDGER, most=1).subjects) == 1
