"""One function over many documents: in processes of their own, as many as cores, when there is enough to do."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

from tqdm import tqdm

from index.cores import cores
from index.values import Document

Given = TypeVar("Given")
Made = TypeVar("Made")
WORTH_IT = 200_000  # characters: ten seconds' work of one core; starting the processes costs two
_CHUNKS = 8  # for each process: they end together, and little is sent at once


def is_much(documents: Sequence[Document]) -> bool:
    """Whether work on these documents takes so long that it is worth being spread."""
    return sum(len(d.text) for d in documents) > WORTH_IT


def is_worth_it(documents: Sequence[Document]) -> bool:
    """Whether more than one process of this machine pays for work on these documents."""
    return cores() > 1 and is_much(documents)


def over_all(work: Callable[[Given], Made], given: Sequence[Given], what: str, *, processes: bool) -> list[Made]:
    """`work` of each, in order; `what` is written before the bar on stderr.

    Args:
        work: can be pickled when there are processes. What it raises is raised here.
    """
    bar = tqdm(total=len(given), desc=what, unit="篇", disable=None)
    made: list[Made] = []
    with bar:
        if not processes:
            for one in given:
                made.append(work(one))
                bar.update()
            return made
        # forkserver: this process has threads (the progress bar's), and a copy of it could wait for them forever
        context = multiprocessing.get_context("forkserver")
        with ProcessPoolExecutor(cores(), mp_context=context) as pool:
            size = max(1, len(given) // (cores() * _CHUNKS))
            for result in pool.map(work, given, chunksize=size):
                made.append(result)
                bar.update()
    return made
