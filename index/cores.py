"""How many cores there are to use."""

import os


def cores() -> int:
    """The cores this process may run on, or as many threads as OMP_NUM_THREADS asks for."""
    if os.environ.get("OMP_NUM_THREADS", "").isdigit():
        return max(1, int(os.environ["OMP_NUM_THREADS"]))
    return _allowed()


def shares() -> bool:
    """Whether this process takes fewer cores than it may: others like it take the rest."""
    return cores() < _allowed()


def _allowed() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
