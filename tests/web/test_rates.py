"""So many times in any one minute; nobody is remembered for longer than that, and no clock is believed."""

import time

import pytest

from web import rates
from web.rates import WINDOW_S, Rate


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that have passed, to be set."""
    now = [1000.0]
    monkeypatch.setattr(rates.time, "monotonic", lambda: now[0])
    return now


def taken(rate: Rate, who: str = "a") -> bool:
    """Whether one more is allowed; then it is counted."""
    if rate.wait_s(who):
        return False
    rate.count(who)
    return True


def test_so_many_are_allowed_in_any_one_minute(at: list[float]) -> None:
    rate = Rate(3)
    for seconds, allowed in ((0, True), (20, True), (40, True), (59, False), (60, True), (79, False), (80, True)):
        at[0] = 1000.0 + seconds
        assert taken(rate) == allowed, seconds


def test_who_is_refused_is_told_how_long_and_waits_no_longer_for_asking_again(at: list[float]) -> None:
    rate = Rate(2)
    assert [taken(rate) for _ in range(5)] == [True, True, False, False, False]
    at[0] += 45
    assert not taken(rate)
    assert rate.wait_s("a") == pytest.approx(WINDOW_S - 45)
    assert rate.wait_s("b") == 0


def test_the_clock_on_the_wall_may_be_set_to_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    rate = Rate(2)
    real = time.time()
    seen = []
    for clock in (real, real - 86_400, real + 86_400):
        monkeypatch.setattr(time, "time", lambda: clock)  # noqa: B023
        seen.append(taken(rate))
    assert seen == [True, True, False]
    assert rate.wait_s("a") <= WINDOW_S


def test_nobody_is_remembered_longer_than_it_matters(at: list[float]) -> None:
    rate = Rate(300)
    for n in range(5000):
        at[0] += 0.1  # 600 in any minute
        rate.count(f"2001:db8:{n:x}::")
    assert len(rate._times) <= 601


def test_however_many_come_at_once_only_so_many_are_remembered_and_not_who_keeps_coming(
    at: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "CALLERS", 10)
    rate = Rate(20)
    for n in range(20):
        rate.count("busy")
        rate.count(f"once {n}")
    assert len(rate._times) == 10
    assert rate.wait_s("busy") > 0
