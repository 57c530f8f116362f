"""Whoever does the work of a rebuild, the version is the same; and whatever happens to a worker, there is an end."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from index import pool, vectors
from index.build import Rebuilt, rebuild
from index.encode import load_encoder
from index.engines import ENGINES
from index.engines.engine import engine_named
from index.engines.local import Local
from index.errors import EngineUnavailable, WorkersDiffer, WorkersFailed
from index.settings import Settings
from index.snapshot import current_version, verify
from tests.fakes import FakeEncoder
from tests.index.small import small_settings, write_corpus
from web.cli import main

ray = pytest.importorskip("ray", reason="an extra: pip install 'yuntu-qa[ray]'")
from index.engines import over_ray, ray_cluster, ray_pool, ray_worker  # noqa: E402
from index.engines.over_ray import OverRay  # noqa: E402

pytestmark = pytest.mark.alone

ROOT = Path(__file__).parents[2]
TEXTS = {f"{n:02}.txt": f"第{n}座机房建成了，容量是{n + 3}兆瓦。其余各项没有说明。\n" for n in range(24)}
SETTINGS = {"ray_worker_mb": 1024}


class Slow(FakeEncoder):
    """Says in which process it encodes, and takes its time."""

    def __init__(self, folder: Path, seconds: float = 0.3) -> None:
        self._folder, self._seconds = folder, seconds

    def encode_parts(self, texts: Sequence[str], parts: Any) -> Any:
        if texts[0].startswith("火山引擎"):  # what every worker makes first
            return super().encode_parts(texts, parts)
        (self._folder / f"{os.getpid()}-{ray.get_runtime_context().get_node_id()}").touch()
        time.sleep(self._seconds)
        return super().encode_parts(texts, parts)


class Hungry(FakeEncoder):
    """Takes memory, so much at a time."""

    def encode_parts(self, texts: Sequence[str], parts: Any) -> Any:
        self.taken = [bytearray(os.urandom(1 << 20) * 20) for _ in range(100) if not time.sleep(0.01)]
        return super().encode_parts(texts, parts)


class Poison(FakeEncoder):
    """Ends the process that encodes one of the texts."""

    def encode_parts(self, texts: Sequence[str], parts: Any) -> Any:
        if any("第7座" in text for text in texts):
            os._exit(7)
        return super().encode_parts(texts, parts)


class Faulty(FakeEncoder):
    """Raises at one of the texts."""

    def encode_parts(self, texts: Sequence[str], parts: Any) -> Any:
        if any("第7座" in text for text in texts):
            raise ZeroDivisionError("第7座")
        return super().encode_parts(texts, parts)


class Stuck(FakeEncoder):
    """Lives on at one of the texts and never ends."""

    def encode_parts(self, texts: Sequence[str], parts: Any) -> Any:
        if any("第7座" in text for text in texts):
            threading.Event().wait()
        return super().encode_parts(texts, parts)


def _not_installed() -> FakeEncoder:
    raise ImportError("libopenvino.so")


class Odd(FakeEncoder):
    """Makes other vectors in every process."""

    def encode_parts(self, texts: Sequence[str], parts: Any) -> Any:
        return super().encode_parts([f"{os.getpid()}{text}" for text in texts], parts)


@pytest.fixture(scope="module", autouse=True)
def _loopback() -> Iterator[None]:
    """Every cluster of these tests is reached from this machine alone."""
    with ray_cluster.only_from_here(), pytest.MonkeyPatch.context() as patch:
        patch.delenv("RAY_ADDRESS", raising=False)
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        yield


@pytest.fixture(scope="module")
def cluster(_loopback: None) -> Iterator[None]:
    """One machine with room for three workers."""
    ray_cluster.start(Settings(ray_workers=3))
    yield
    ray.shutdown()


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "SHARD", 3)
    monkeypatch.setattr(pool, "WORTH_IT", 0)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write_corpus(tmp_path / "corpus", TEXTS)


def build(
    corpus: Path, root: Path, engine: Any = None, encoder: Callable[[], FakeEncoder] = FakeEncoder, **options: Any
) -> Rebuilt:
    with engine or Local_() as engine_:
        return rebuild([corpus], small_settings(root), encoder, engine=engine_, **options)


class Local_(Local):  # noqa: N801
    """With the `with` of the other."""

    def __enter__(self) -> "Local_":
        return self

    def __exit__(self, *_: object) -> None: ...


def over(workers: int, **settings: Any) -> OverRay:
    return OverRay(Settings(encoder="fake", ray_workers=workers, **{**SETTINGS, **settings}))


@pytest.fixture
def expected(corpus: Path, tmp_path: Path) -> bytes:
    """The manifest that this process alone makes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "cores", lambda: 1)
        return manifest(tmp_path / "expected", build(corpus, tmp_path / "expected").version)


def manifest(root: Path, version: str) -> bytes:
    return (root / version / "manifest.json").read_bytes()


# --- the same version -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2])
def test_processes_of_this_machine_make_the_same_manifest(
    workers: int, corpus: Path, expected: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "cores", lambda: workers)
    root = tmp_path / "local"
    assert manifest(root, build(corpus, root).version) == expected


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_workers_of_a_cluster_make_the_same_manifest(
    workers: int, corpus: Path, expected: bytes, tmp_path: Path
) -> None:
    root = tmp_path / "ray"
    version = build(corpus, root, over(workers)).version
    assert manifest(root, version) == expected
    verify(root, version)
    assert not (root / ".encoded").exists()


@pytest.mark.usefixtures("cluster")
def test_results_of_documents_come_in_the_order_given_and_errors_as_they_are(corpus: Path) -> None:
    from index.load import load

    documents = load([corpus]).documents
    with over(2) as engine:
        assert engine.over_all(_length, documents, "长", documents) == [len(d.text) for d in documents]
        assert engine.over_all(_length, [], "长", documents) == []
        with pytest.raises(ZeroDivisionError, match="by zero"):
            engine.over_all(_inverse, [1, 0], "倒", documents)


def _length(document: Any) -> int:
    return len(document.text)


def _inverse(n: int) -> float:
    return 1 / n


def test_little_work_starts_nothing(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected: bytes
) -> None:
    monkeypatch.setattr(pool, "WORTH_IT", 1_000_000)
    root = tmp_path / "expected"
    monkeypatch.setattr(over_ray, "start", lambda _: pytest.fail("Ray is started for nothing"))
    write_corpus(corpus, {"00.txt": TEXTS["00.txt"].replace("。", "！", 1).replace("！", "。")})
    assert build(corpus, root, OverRay(Settings(encoder="fake"))).unchanged
    assert manifest(root, current_version(root)) == expected


@pytest.mark.usefixtures("cluster")
@pytest.mark.usefixtures("long")
def test_what_was_encoded_before_an_error_is_gone_on_with_by_either_engine(
    corpus: Path, expected: bytes, tmp_path: Path
) -> None:
    root = tmp_path / "ray"
    with pytest.raises(ZeroDivisionError, match="第7座"):
        build(corpus, root, over(1), Faulty)
    kept = len(list((root / ".encoded").glob("*.npz")))
    assert kept
    assert not list(root.glob("v-*"))
    seen = tmp_path / "seen"
    seen.mkdir()
    assert manifest(root, build(corpus, root, over(2), partial(Slow, seen, 0.0)).version) == expected


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
def test_the_encoder_that_ships_makes_the_same_manifest_in_workers_of_one_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vectors, "SHARD", 16)
    made = {}
    for name in ENGINES:
        settings = Settings(index=tmp_path / name, cache=tmp_path / "cache", ray_workers=2)
        with engine_named(name, settings) as engine:
            load = partial(load_encoder, settings.for_workers())
            version = rebuild([ROOT / "corpus"], settings, load, engine=engine).version
        made[name] = manifest(tmp_path / name, version)
    assert made["local"] == made["ray"]


# --- workers that end -------------------------------------------------------------------------------------------------


def when_encoding(folder: Path, act: Callable[[int, str], None], *, of: Callable[[str], bool] = lambda _: True) -> None:
    """Does something, once, to a process that has begun to encode."""

    def watch() -> None:
        for _ in range(600):
            for path in folder.glob("*-*"):
                process, _, node = path.name.partition("-")
                if of(node):
                    act(int(process), node)
                    return
            time.sleep(0.05)

    folder.mkdir()
    threading.Thread(target=watch, daemon=True).start()


@pytest.mark.usefixtures("cluster")
def test_a_worker_that_is_killed_is_replaced(
    corpus: Path, expected: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root, seen = tmp_path / "ray", tmp_path / "seen"
    when_encoding(seen, lambda process, _: os.kill(process, signal.SIGKILL))
    assert manifest(root, build(corpus, root, over(1), partial(Slow, seen)).version) == expected
    assert len(list(seen.iterdir())) == 2
    assert "lost, going on" in capfd.readouterr().err


@pytest.mark.usefixtures("cluster")
@pytest.mark.usefixtures("long")
def test_a_worker_that_hangs_is_replaced(
    corpus: Path, expected: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_pool, "HUNG_S", 2.0)
    monkeypatch.setattr(ray_pool, "_PULSE_S", 0.3)
    root, seen, stopped = tmp_path / "ray", tmp_path / "seen", list[int]()

    def stop(process: int, _: str) -> None:
        os.kill(process, signal.SIGSTOP)
        stopped.append(process)

    when_encoding(seen, stop)
    assert manifest(root, build(corpus, root, over(2), partial(Slow, seen)).version) == expected
    assert not is_running(stopped[0])


@pytest.mark.usefixtures("cluster")
def test_a_worker_over_its_memory_is_an_error_and_the_old_version_serves_on(
    corpus: Path, tmp_path: Path, expected: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_pool, "TRIES", 2)
    root = tmp_path / "expected"
    before = current_version(root)
    with pytest.raises(WorkersFailed, match=r"YUNTU_RAY_WORKER_MB \(现在 700\)") as raised:
        build(corpus, root, over(2, ray_worker_mb=700), Hungry, full=True)
    assert "out of memory" in str(raised.value) or "took" in str(raised.value)
    assert current_version(root) == before
    assert [p.name for p in root.glob("v-*") if p.is_dir()] == [before]


@pytest.mark.usefixtures("cluster")
@pytest.mark.usefixtures("long")
def test_a_shard_that_ends_every_worker_is_an_error(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(WorkersFailed, match="ended 3 workers"):
        build(corpus, tmp_path / "ray", over(2), Poison)
    assert not list((tmp_path / "ray").glob("v-*"))


@pytest.mark.usefixtures("cluster")
@pytest.mark.usefixtures("long")
def test_a_shard_that_never_ends_is_an_error_though_its_worker_lives(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_pool, "STUCK_S", 2.0)
    monkeypatch.setattr(ray_pool, "TRIES", 2)
    with pytest.raises(WorkersFailed, match="stuck at one job"):
        build(corpus, tmp_path / "ray", over(2), Stuck)
    assert not list((tmp_path / "ray").glob("v-*"))


@pytest.mark.usefixtures("cluster")
def test_a_worker_where_something_is_not_installed_is_an_error_that_names_it(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(WorkersDiffer, match=rf"{socket.gethostname()} \(node \w+, process \d+\): libopenvino"):
        build(corpus, tmp_path / "ray", over(2), _not_installed)
    assert not list((tmp_path / "ray").glob("v-*"))


@pytest.mark.usefixtures("cluster")
@pytest.mark.usefixtures("long")
def test_a_rebuild_that_goes_well_says_nothing_of_crashes(
    corpus: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    build(corpus, tmp_path / "ray", over(2))
    time.sleep(2.0)  # Ray tells of them late
    told = capfd.readouterr()
    assert "died" not in told.out + told.err


@pytest.mark.usefixtures("cluster")
def test_a_machine_without_room_is_an_error_at_once(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="no machine has room"):
        build(corpus, tmp_path / "ray", over(1, ray_worker_mb=10_000_000))


@pytest.mark.usefixtures("cluster")
def test_a_cluster_that_is_taken_is_an_error_after_a_while(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_pool, "START_S", 1.0)
    taken = ray.remote(num_cpus=3)(_Nothing).remote()
    ray.get(taken.ready.remote())
    with pytest.raises(EngineUnavailable, match="no worker could start"):
        build(corpus, tmp_path / "ray", over(1))
    ray.kill(taken)


class _Nothing:
    def ready(self) -> None: ...


# --- workers that differ ----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize("what", ["code", "encoder", "precision", "tokenizer"])
def test_a_worker_that_differs_is_an_error_that_names_it(
    what: str, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    own = ray_worker.footing
    monkeypatch.setattr(ray_pool, "footing", lambda s: replace(own(s), **{what: "another"}))
    with pytest.raises(WorkersDiffer, match=rf"{socket.gethostname()} \(node \w+\): {what} .*≠ another"):
        build(corpus, tmp_path / "ray", over(2))
    assert not list((tmp_path / "ray").glob("v-*"))


@pytest.mark.usefixtures("cluster")
def test_workers_that_encode_one_text_differently_are_an_error(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(WorkersDiffer, match="encode differently"):
        build(corpus, tmp_path / "ray", over(2), Odd)
    assert not list((tmp_path / "ray").glob("v-*"))


# --- Ray that is not there --------------------------------------------------------------------------------------------


def test_without_ray_the_command_says_how_to_install_it(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("index.engines.over_ray.importlib.util.find_spec", lambda _: None)
    root = tmp_path / "index"
    assert main(["rebuild", "--engine", "ray", "--corpus", str(corpus), "--index", str(root)]) == 1
    assert "pip install 'yuntu-qa[ray]'" in capsys.readouterr().err
    assert not root.exists()


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nonsense", "ray://127.0.0.1:10001", "127.0.0.1:99999"])
def test_a_wrong_address_is_an_error_soon(
    address: str, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(over_ray, "is_running", lambda: False)
    monkeypatch.setenv("RAY_ADDRESS", address)
    start = time.monotonic()
    with pytest.raises(EngineUnavailable, match="RAY_ADDRESS"):
        build(corpus, tmp_path / "ray", over(1))
    assert time.monotonic() - start < 10
    assert not list((tmp_path / "ray").glob("v-*"))


def test_a_cluster_that_does_not_come_up_is_an_error_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def init(**_: object) -> None:
        raise Exception("The current node timed out during startup.")  # as Ray does

    monkeypatch.setattr(ray, "init", init)
    with pytest.raises(EngineUnavailable, match=r"(?s)timed out during startup.*RAY_ADDRESS"):
        ray_cluster.start(Settings())


def test_a_default_rebuild_does_not_import_ray(corpus: Path, tmp_path: Path) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom tests.fakes import FakeEncoder\nfrom index.build import rebuild\n"
        "from tests.index.small import small_settings\n"
        "rebuild([Path(sys.argv[1])], small_settings(Path(sys.argv[2])), FakeEncoder)\n"
        "sys.exit('ray' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, corpus, tmp_path / "index"], cwd=ROOT, check=False)
    assert done.returncode == 0


# --- clusters of their own: run last, Ray is in this process once -----------------------------------------------------


def is_running(process: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2][:3]
    except OSError:
        return False


def descendants(process: int) -> set[int]:
    """The processes it started, and theirs."""
    found, parents = {process}, dict[int, int]()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    while more := {p for p, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {process}


def listening(processes: set[int]) -> set[str]:
    """The addresses, in hexadecimal, on which they wait for connections."""
    own = set()
    for process in processes:
        for fd in Path(f"/proc/{process}/fd").glob("*"):
            try:
                own.add(os.readlink(fd))
            except OSError:
                continue
    rows = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    return {row[1].partition(":")[0] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in own}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "kill"])
def test_a_rebuild_that_is_interrupted_leaves_no_processes_and_listens_to_nobody_else(
    number: int, corpus: Path, tmp_path: Path, soak: bool
) -> None:
    if number == signal.SIGINT and not soak:
        pytest.skip("in make soak")
    seen = tmp_path / "seen"
    seen.mkdir()
    program = (
        "import sys\nfrom functools import partial\nfrom pathlib import Path\nfrom index import vectors\n"
        "from tests.index.test_engines import Slow, build, over\n"
        "vectors.SHARD = 3\nbuild(Path(sys.argv[1]), Path(sys.argv[2]), over(2), partial(Slow, Path(sys.argv[3]), 5))\n"
    )
    command = [sys.executable, "-c", program, corpus, tmp_path / "ray", seen]
    started = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        until(lambda: len(list(seen.iterdir())) == 2, 40)
        processes = descendants(started.pid)
        assert {int(path.name.partition("-")[0]) for path in seen.iterdir()} <= processes
        assert listening(processes | {started.pid}) <= {"0100007F", "0000000000000000FFFF00000100007F"}
        if number == signal.SIGKILL:  # Ray's own agents take up to a minute to notice
            processes -= {p for p in processes if b"Agent" in (Path("/proc") / str(p) / "cmdline").read_bytes()}
        (os.killpg if number == signal.SIGINT else os.kill)(started.pid, number)  # a terminal asks the whole group
        assert started.wait(20) != 0
        until(lambda: not any(map(is_running, processes)), 15)
    finally:
        started.kill()
    assert not list((tmp_path / "ray").glob("v-*"))


def until(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.fixture
def two_machines(tmp_path: Path) -> Iterator[Any]:
    """A cluster of two machines, one worker each, both on this one; and how the second is made."""
    from ray.cluster_utils import Cluster

    if ray.is_initialized():
        ray.shutdown()
    given = {"node_ip_address": "127.0.0.1", "object_store_memory": 80 << 20, "include_dashboard": False}
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, **given})
    try:
        yield made, lambda **more: made.add_node(num_cpus=1, **{**given, **more})
    finally:
        ray.shutdown()
        made.shutdown()


def test_a_machine_that_dies_in_the_middle_changes_nothing(
    two_machines: Any, corpus: Path, expected: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, add = two_machines
    second, root, seen = add(), tmp_path / "ray", tmp_path / "seen"
    monkeypatch.setenv("RAY_ADDRESS", made.address)
    when_encoding(
        seen, lambda *_: made.remove_node(second, allow_graceful=False), of=lambda node: node == second.node_id
    )
    assert manifest(root, build(corpus, root, over(2), partial(Slow, seen)).version) == expected
    assert len({path.name.partition("-")[2] for path in seen.iterdir()}) == 2


def test_a_machine_that_computes_otherwise_is_an_error_that_names_it(
    two_machines: Any, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, add = two_machines
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(
        "import sys\nif 'default_worker' in ' '.join(sys.orig_argv):\n"
        "    import index.encode\n    index.encode.precision_of = lambda _: 'int4'\n"
    )
    second = add(env_vars={"PYTHONPATH": f"{tmp_path / 'site'}{os.pathsep}{ROOT}"})
    monkeypatch.setenv("RAY_ADDRESS", made.address)
    with pytest.raises(WorkersDiffer, match=rf"node {second.node_id[:8]}\): precision int4 ≠ float32"):
        build(corpus, tmp_path / "ray", over(2))
    assert not list((tmp_path / "ray").glob("v-*"))


def test_an_address_where_something_else_listens_is_an_error(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_cluster, "REACH_S", 4.0)
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{other.getsockname()[1]}")
        start = time.monotonic()
        with pytest.raises(EngineUnavailable, match="RAY_ADDRESS"):
            build(corpus, tmp_path / "ray", over(1))
    assert time.monotonic() - start < 20
