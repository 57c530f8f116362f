"""Floors under the answers: a file says how good they have to be, and a measurement is held against it."""

import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.errors import YuntuError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Summary = Mapping[str, Any]  # of rag.evaluate

# name in the file → where the measured value stands in the summary
AT_LEAST: dict[str, Callable[[Summary], float | None]] = {
    "accuracy": lambda s: s["accuracy"],
    "verbatim": lambda s: s["quotes_verbatim"],
    "cited": lambda s: s["expected_document_cited"],
    "refused_rightly": lambda s: s["correct_refusals"],
}
AT_MOST: dict[str, Callable[[Summary], float | None]] = {
    "refused_wrongly_at_most": lambda s: s["false_refusals"],
    "p50_ms_at_most": lambda s: (s["latency_ms"] or {}).get("p50"),
    "p95_ms_at_most": lambda s: (s["latency_ms"] or {}).get("p95"),
    "mean_chars_at_most": lambda s: s["mean_chars"],
}
_OPEN = ("p50_ms_at_most", "p95_ms_at_most", "mean_chars_at_most")  # no shares: above 1 too


class BadFloors(YuntuError):
    """A file of floors that cannot be held against anything."""

    code = "bad_floors"


class GateClosed(YuntuError):
    """The answers are worse than the floors allow."""

    code = "gate_closed"


@dataclass(frozen=True, slots=True)
class Floor:
    """One limit: at least this good, or at most this bad."""

    name: str  # as in the file; `by_type.fact` for a type
    limit: float
    upper: bool  # no more than the limit, else no less


@dataclass(frozen=True, slots=True)
class Held:
    """A floor and what was measured."""

    floor: Floor
    measured: float

    @property
    def holds(self) -> bool:
        """Whether the floor stands. What lies on it does."""
        return self.measured <= self.floor.limit if self.floor.upper else self.measured >= self.floor.limit

    def __str__(self) -> str:
        f, off = self.floor, abs(self.measured - self.floor.limit)
        if self.holds:
            return f"{f.name}: {self.measured:g},要求{'至多' if f.upper else '至少'} {f.limit:g} (holds)"
        side = "高出" if f.upper else "差"
        return f"{f.name}: {self.measured:g},要求{'至多' if f.upper else '至少'} {f.limit:g},{side} {off:.4g} (broken)"


def read_floors(path: Path) -> list[Floor]:
    """The floors of a TOML file. Raises: BadFloors, naming what is wrong and what can be written."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as e:
        raise BadFloors(f"读不了 {path} (cannot read): {e}", "写法见 docs/evaluate.md") from e
    types = table.pop("by_type", {})
    if not isinstance(types, dict):
        raise BadFloors(f"{path}: by_type 要是一个表 (not a table)", "写成 [by_type] 一行,下面每行 类型 = 0.9")
    unknown = [name for name in table if name not in AT_LEAST and name not in AT_MOST]
    if unknown:
        names = " ".join([*AT_LEAST, *AT_MOST, "[by_type]"])
        raise BadFloors(f"{path}: 不认识 {'、'.join(unknown)} (unknown)。", f"可用: {names}")
    floors = [Floor(name, _limit(path, name, value), name in AT_MOST) for name, value in table.items()]
    floors += [Floor(f"by_type.{t}", _limit(path, f"by_type.{t}", value), upper=False) for t, value in types.items()]
    if not floors:
        raise BadFloors(f"{path}: 一条底线也没有 (no floors)", "例如写一行 accuracy = 0.8")
    return floors


def _limit(path: Path, name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadFloors(f"{path}: {name} 要是数字 (not a number): {value!r}")
    most = math.inf if name in _OPEN else 1
    if not 0 <= value <= most:
        allowed = "要在 0 到 1 之间" if most == 1 else "不能小于 0"
        raise BadFloors(f"{path}: {name} = {value:g} 超出范围 (out of range)", allowed)
    return float(value)


def check_types(floors: list[Floor], types: set[str]) -> None:
    """Raises: BadFloors where a floor is for a type that no question has: it would never break."""
    missing = [f.name for f in floors if f.name.startswith("by_type.") and f.name[len("by_type.") :] not in types]
    if missing:
        raise BadFloors(
            f"没有一题是这个类型 (no question has it): {'、'.join(missing)}",
            f"题目的类型有: {' '.join(sorted(types)) or '(没有题)'}",
        )


def held_against(floors: list[Floor], summary: Summary) -> list[Held]:
    """Each floor with what was measured. Raises: BadFloors where nothing was measured for one."""
    check_types(floors, set(summary["by_type"]))
    found = []
    for floor in floors:
        measured = _measured(floor.name, summary)
        if measured is None:
            raise BadFloors(
                f"{floor.name} 没有量到 (nothing measured)", "题目里要有它说的那种题:能答的,或 answerable 为 false 的"
            )
        found.append(Held(floor, measured))
    return found


def _measured(name: str, summary: Summary) -> float | None:
    if name.startswith("by_type."):
        share: float = summary["by_type"][name[len("by_type.") :]]["accuracy"]
        return share
    return (AT_LEAST.get(name) or AT_MOST[name])(summary)


def pass_or_raise(held: list[Held]) -> None:
    """Raises: GateClosed, saying which floors broke and by how much."""
    broken = [str(h) for h in held if not h.holds]
    if broken:
        raise GateClosed(
            f"没有过关 (gate closed): {'; '.join(broken)}", "看 --report 里错在哪里,或换回旧版本: yuntu index rollback"
        )
