"""What is installed, and what pyproject.toml lets be installed, is at least what mends the flaws that were published.

The databases that `pip-audit` asks are on the network, and nothing here may need that: the lowest sound versions stand
in SOUND instead. To bring them up to date run `uvx pip-audit` where there is a network, and write down what it names.
"""

import re
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
SOUND = {  # package → the first version without the flaw behind it
    "certifi": "2024.7.4",  # CVE-2024-39689: a distrusted root
    "faiss-cpu": "1.15.1",  # reading a damaged index
    "filelock": "3.20.1",  # CVE-2025-68146: a link in the lock's place
    "h11": "0.16.0",  # CVE-2025-43859: chunks read loosely
    "idna": "3.7",  # CVE-2024-3651: time with the square of a name
    "jinja2": "3.1.6",  # CVE-2025-27516: out of the sandbox
    "lxml": "5.2",  # entities are not resolved
    "lxml-html-clean": "0.4.0",  # CVE-2024-52595: scripts that survive
    "pillow": "11.3.0",  # CVE-2025-48379: writes past a buffer
    "pypdfium2": "4.30.0",  # the PDFium it brings
    "python-multipart": "0.0.27",  # headers without end
    "pyyaml": "6.0",  # CVE-2020-14343: objects made on loading
    "requests": "2.32.4",  # CVE-2024-47081: a password sent elsewhere
    "setuptools": "78.1.1",  # CVE-2025-47273: files written elsewhere
    "starlette": "1.3.1",  # forms without end, ranges with the square of a header
    "torch": "2.6.0",  # CVE-2025-32434: code in weights
    "tqdm": "4.66.3",  # CVE-2024-34062: code in options
    "transformers": "4.53.0",  # CVE-2025-3777 and others: expressions that go back over a text
    "urllib3": "2.5.0",  # CVE-2025-50181: redirects followed all the same
}
NOT_NEEDED = ("aiohttp", "tornado")  # doors that nothing here opens


def _required() -> dict[str, Requirement]:
    """The dependencies of pyproject.toml by name, those of development included."""
    written = re.findall(r'^\s+"([a-zA-Z][^"]*)",?(?:\s+#.*)?$', PYPROJECT.read_text(encoding="utf-8"), re.MULTILINE)
    required = [Requirement(line) for line in written if re.match(r"[\w.-]+\s*(?:[<>=!~;]|$)", line)]
    return {r.name.lower(): r for r in required}


@pytest.mark.parametrize(("name", "lowest"), SOUND.items())
def test_an_installed_package_is_one_without_known_flaws(name: str, lowest: str) -> None:
    try:
        installed = version(name)
    except PackageNotFoundError:
        pytest.skip(f"{name} is not installed")
    assert Version(installed) >= Version(lowest)


@pytest.mark.parametrize("name", sorted(SOUND))
def test_an_older_version_is_not_asked_for(name: str) -> None:
    required = _required().get(name)
    if required is None:
        pytest.skip(f"{name} comes with another package")
    bounds = [Version(s.version) for s in required.specifier if s.operator in (">=", "==", "~=")]
    assert bounds
    assert max(bounds) >= Version(SOUND[name])


def test_nothing_we_depend_on_brings_another_door() -> None:
    needed, waiting = set[str](), [r for r in _required().values() if r.name in _shipped()]
    while waiting:
        name = waiting.pop().name.lower()
        if name not in needed:
            needed.add(name)
            own = (Requirement(r) for r in _requires(name))
            waiting += [r for r in own if r.marker is None or r.marker.evaluate({"extra": ""})]
    assert "starlette" in needed
    assert needed.isdisjoint(NOT_NEEDED)


def _shipped() -> set[str]:
    """The names under `dependencies`; what only development and fitting take is left out."""
    text = PYPROJECT.read_text(encoding="utf-8")
    return set(re.findall(r'^    "([\w.-]+)', text[: text.index("[project.optional-dependencies]")], re.MULTILINE))


def _requires(name: str) -> list[str]:
    try:
        return requires(name) or []
    except PackageNotFoundError:
        return []


def test_the_dependencies_are_read_from_the_file() -> None:
    assert {"jinja2", "urllib3", "faiss-cpu", "pytest"} <= set(_required())
