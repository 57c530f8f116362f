"""Arrows point web → rag → index and never back; what is imported and read is what is packaged."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {"index": set(), "rag": {"index"}, "web": {"rag", "index"}}
OURS = {*MAY_IMPORT, "corpus", "tests", "bench"}
SOURCES = sorted(p.relative_to(ROOT) for package in MAY_IMPORT for p in (ROOT / package).rglob("*.py"))
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]


def imported(path: Path) -> Iterator[str]:
    """The packages a file imports anywhere: at the top, in functions, under TYPE_CHECKING, and by name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield path.relative_to(ROOT).parts[0] if node.level else (node.module or "").split(".")[0]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__"):
            yield ast.unparse(node.args[0])


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_a_package_imports_itself_and_the_ones_behind_it(source: Path) -> None:
    package = source.parts[0]
    assert set(imported(ROOT / source)) & OURS <= {package, *MAY_IMPORT[package]}


def test_imports_inside_functions_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    (tmp_path / "index").mkdir()
    file = tmp_path / "index" / "x.py"
    file.write_text(
        "import os\ndef f():\n    from rag.values import Answer\n    import web.app as w\n    from . import y\n"
    )
    assert set(imported(file)) == {"os", "rag", "web", "index"}


def test_no_module_is_imported_by_a_name_made_at_run_time() -> None:
    for source in SOURCES:
        assert not {name for name in imported(ROOT / source) if not name.isidentifier()}, source


def test_the_packages_named_are_the_packages_there_are() -> None:
    others = {"tests", "bench", "build", "var"}
    there = {p.parent.relative_to(ROOT) for p in ROOT.glob("[!.]*/**/__init__.py")}
    assert {".".join(p.parts) for p in there if p.parts[0] not in others} == set(SETUPTOOLS["packages"])
    folders = {source.parent for source in SOURCES}
    assert {".".join(p.parts) for p in folders} == set(SETUPTOOLS["packages"])


@pytest.mark.parametrize("package", SETUPTOOLS["packages"])
def test_every_file_a_package_reads_is_packaged_with_it(package: str) -> None:
    folder = ROOT.joinpath(*package.split("."))
    patterns = SETUPTOOLS["package-data"].get(package, [])
    nested = [ROOT.joinpath(*p.split(".")) for p in SETUPTOOLS["packages"] if p.startswith(f"{package}.")]
    files = [
        p.relative_to(folder).as_posix()
        for p in folder.rglob("*")
        if p.is_file()
        and p.suffix not in (".py", ".pyc")
        and "__pycache__" not in p.parts
        and not any(p.is_relative_to(other) for other in nested)
    ]
    left_out = [name for name in files if not any(matches(name, pattern) for pattern in patterns)]
    assert not left_out
    assert all(any(matches(name, pattern) for name in files) for pattern in patterns), "a pattern matches nothing"


def matches(name: str, pattern: str) -> bool:
    """As setuptools matches: a star does not reach into folders."""
    return name.count("/") == pattern.count("/") and fnmatch(name, pattern)


def test_the_command_is_the_one_that_is_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["scripts"] == {"yuntu": "web.cli:main"}


HEAVY = {"numpy", "openvino", "torch", "transformers", "faiss", "bm25s", "jieba", "tokenizers", "opencc", "fastapi"}


@pytest.mark.parametrize(
    ("program", "without"),
    [
        pytest.param("import index, rag, web", HEAVY, id="the-packages"),
        pytest.param("import web.cli", HEAVY, id="the-command"),
        pytest.param("import web.cli; web.cli.main(['--help'])", HEAVY, id="its-help"),
        pytest.param("import web.cli; web.cli.main(['ask', '--help'])", HEAVY, id="the-help-of-a-verb"),
        pytest.param("import index.settings", HEAVY, id="settings"),
        pytest.param("import index.encode, rag.reader.read", {"openvino", "torch", "transformers"}, id="the-models"),
    ],
)
def test_what_is_not_needed_yet_is_not_imported(program: str, without: set[str]) -> None:
    told = f"import atexit, sys; atexit.register(lambda: print({without!r} & sys.modules.keys(), file=sys.stderr))"
    done = subprocess.run([sys.executable, "-c", f"{told}\n{program}"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "set()\n")
