"""Many clients: nobody gets anything but an answer or 503, hot swaps are not noticed, memory stays where it is.

Small here, with a fake encoder; `--soak` runs it with the real one, at full length (docs/reliability.md).
"""

import asyncio
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from index.build import rebuild
from index.encode import load_encoder
from index.publish import switch
from index.settings import Settings
from index.snapshot import open_current
from tests.fakes import FakeEncoder
from tests.index.small import build, write_corpus
from tests.web.load import Seen, clients
from tests.web.serving import Served

pytestmark = pytest.mark.alone

ROOT = Path(__file__).parents[2]
RETAINED = 1.05  # of the memory after the first minute
TURNED_AWAY = 0.05  # more than without swaps: sixteen who ask without a pause are more than two cores answer
Report = Callable[[str], None]


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Report:
    """Says a figure on the terminal, whatever pytest captures."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def say(text: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\n{text}")

    return say


def corpora(folder: Path, *, real: bool) -> Iterator[Path]:
    """Two corpora that differ in what they say of 星澜云, and not in what else they hold."""
    for number in (100, 200):
        corpus = folder / f"corpus-{number}"
        if real:
            shutil.copytree(ROOT / "corpus", corpus)
        own = "".join(f"{year}年，星澜云的营收为{number}亿元。\n" for year in range(2001, 2041))
        yield write_corpus(corpus, {"own.txt": own})


@pytest.fixture
def versions(tmp_path: Path, soak: bool, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Two versions of one index, in `tmp_path / "index"`; the second is the current one."""
    if not soak:
        monkeypatch.setattr("index.build.fingerprint_of", lambda _: FakeEncoder.fingerprint)
    settings = Settings.from_env({}).model_copy(update={"index": tmp_path / "index"})
    made = []
    for corpus in corpora(tmp_path, real=soak):
        if soak:
            made.append(rebuild([corpus], settings, lambda: load_encoder(settings)).version)
        else:
            made.append(build(corpus, tmp_path / "index").version)
    return made[0], made[1]


@pytest.fixture
def served(tmp_path: Path, versions: tuple[str, str], soak: bool) -> Iterator[Served]:
    environ = {"YUNTU_LOG": "off", "YUNTU_CACHE": str(ROOT / "var" / "cache")}
    with Served(tmp_path, tmp_path / "index", real=soak, **environ) as running:
        time.sleep(10 if soak else 2)  # dictionaries
        yield running


def questions(root: Path) -> list[str]:
    """More than are remembered, about everything the index has figures of."""
    figures = open_current(root).figures
    subjects = sorted({f.subject for f in figures if f.subject})[:30]
    attributes = sorted({f.attribute for f in figures if f.attribute})[:10]
    return [f"{year}年{s}的{a}是多少？" for year in range(2019, 2029) for s in subjects for a in attributes]


def told(seen: Seen) -> str:
    counts = dict(sorted(seen.statuses.items()))
    return f"{counts}, p50 {seen.percentile(0.5):.2f} s, p99 {seen.percentile(0.99):.2f} s"


def mixed(versions: tuple[str, str]) -> Callable[[dict[str, Any]], str | None]:
    """Whether an answer about 星澜云 says what another version than the one it names would say."""

    def check(answer: dict[str, Any]) -> str | None:
        own, other = ("100亿", "200亿") if answer["index_version"] == versions[0] else ("200亿", "100亿")
        said = answer["text"] + "".join(c["quote"] for c in answer["citations"])
        return None if own in said and other not in said else f"{answer['index_version']}: {said}"

    return check


@pytest.mark.slow
def test_hot_swaps_under_sixteen_clients_fail_nobody_and_mix_nothing(
    served: Served, versions: tuple[str, str], tmp_path: Path, soak: bool, report: Report
) -> None:
    swaps, calm_s, pause_s = (100, 120, 2.0) if soak else (8, 4, 0.2)
    asked = [  # too many to be remembered: a new version remembers none
        f"{before}{year}年星澜云的营收是{what}{after}"
        for before in ("", "请问", "想知道", "帮我查一下", "麻烦看看", "我想问", "请告诉我", "查一查")
        for year in range(2001, 2041)
        for what in ("多少", "多少亿元", "多少钱")
        for after in ("", "？", "呢？", "？谢谢")
    ]
    check = mixed(versions)
    calm = asyncio.run(clients(served.port, 16, calm_s, asked, check))
    done: list[float] = []

    def swap() -> None:
        for n in range(swaps):
            switch(tmp_path / "index", versions[n % 2])
            began = time.monotonic()
            while served.client.get("/readyz").json().get("index_version") != versions[n % 2]:
                time.sleep(0.05)
            done.append(time.monotonic() - began)
            time.sleep(pause_s)

    swapping = threading.Thread(target=swap)
    swapping.start()
    busy = Seen()
    while swapping.is_alive():
        part = asyncio.run(clients(served.port, 16, 3, asked, check))
        busy.statuses += part.statuses
        busy.seconds += part.seconds
        busy.wrong += part.wrong
    report(f"calm: {told(calm)}; {len(done)} swaps, {max(done):.2f} s at most: {told(busy)}")
    assert len(done) == swaps
    assert busy.wrong == calm.wrong == []
    assert set(busy.statuses) | set(calm.statuses) <= {200, 503}
    turned_away, before = (seen.statuses[503] / seen.statuses.total() for seen in (busy, calm))
    assert turned_away <= before + TURNED_AWAY + (0.2 if not soak else 0)
    assert busy.percentile(0.99) <= 1.5 * calm.percentile(0.99) + (0 if soak else 0.5)


@pytest.mark.slow
def test_two_hundred_clients_get_answers_or_503_and_memory_stays(
    served: Served, tmp_path: Path, soak: bool, report: Report
) -> None:
    seconds, settled = (600, 60) if soak else (10, 5)
    sizes: list[tuple[float, float]] = []
    stop = threading.Event()

    def watch() -> None:
        began = time.monotonic()
        while not stop.wait(1):
            sizes.append((time.monotonic() - began, served.megabytes()))

    watching = threading.Thread(target=watch)
    watching.start()
    seen = asyncio.run(clients(served.port, 200, seconds, questions(tmp_path / "index")))
    stop.set()
    watching.join()
    first = max(size for at, size in sizes if at <= settled)
    later = max(size for at, size in sizes if at > settled)
    report(f"200 clients, {seconds} s: {told(seen)}, {first:.0f} → {later:.0f} MB")
    assert set(seen.statuses) <= {200, 503}
    assert seen.statuses[200] > 0
    assert served.ask("2025年星澜云的营收是多少？").status_code == 200
    assert later <= first * (RETAINED if soak else 1.3)
    assert seen.percentile(0.99) <= 3 or not soak
