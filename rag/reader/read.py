"""Windows → readings: whether each answers the question, and with which characters."""

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from index.embedded_e5 import E5File, model_path, shipped_tokenizer
from index.encode import fingerprint_of
from index.errors import ReaderUnavailable
from index.settings import EMBEDDED, OFF, Settings
from rag.reader.adapter import Adapter
from rag.reader.network import TokenEmbeddings, compiled
from rag.reader.tokens import PairTokenizer
from rag.reader.windows import Window

SPAN_TOKENS = 60  # the longest answer looked for
NEVER = -30.0  # log probability of what was not read


@dataclass(frozen=True, slots=True)
class Span:
    """The likeliest answer within one sentence: `sentence.text[start:end]`."""

    place: int  # of the sentence in its passage
    start: int
    end: int
    score: float  # log probability, given that the window answers


@dataclass(frozen=True, slots=True)
class Reading:
    """What the reader found in a window."""

    window: Window
    answers: float  # log odds that the window answers the question
    spans: tuple[Span, ...]  # the best of each sentence, best first


class Reader(Protocol):
    """What answering needs of a reader; tests pass a small fake."""

    fingerprint: str

    def read(self, question: str, windows: Sequence[Window]) -> list[Reading]:
        """One reading a window, in the order given; the same for the same arguments."""
        ...


class EmbeddedReader:
    """The trained adapter on the embedded e5. Threads may share one: a batch at a time runs, on all cores."""

    def __init__(self, file: E5File, adapter: Adapter, *, fingerprint: str, threads: int) -> None:
        self.fingerprint = fingerprint
        self.trained = adapter.trained
        self._tokenizer = PairTokenizer(file, shipped_tokenizer())
        self._embed = TokenEmbeddings(file)
        self._request = compiled(file, adapter, threads=threads).create_infer_request()
        self._lock = threading.Lock()

    def read(self, question: str, windows: Sequence[Window]) -> list[Reading]:
        """See Reader. A window without text answers nothing."""
        written = [w for w in windows if w.text.strip()]
        found: dict[int, Reading] = {}
        if written:
            ids, mask, spans = self._tokenizer.batch(question, written)
            with self._lock:
                outputs = self._request.infer([self._embed(ids), mask.astype(np.float32)])
                logits = np.array(next(iter(outputs.values())))
            for window, rows, characters in zip(written, logits, spans, strict=True):
                found[id(window)] = reading_of(window, rows, characters)
        return [found.get(id(w)) or Reading(w, NEVER, ()) for w in windows]


def reading_of(window: Window, logits: npt.NDArray[np.float32], characters: Sequence[tuple[int, int]]) -> Reading:
    """Decodes one row of the network's output; what lies behind `characters` is padding."""
    tokens = [n for n, (a, b) in enumerate(characters) if b > a]
    if not tokens:
        return Reading(window, NEVER, ())
    first, last = (_log_softmax(logits[tokens, n]) for n in (0, 1))
    place = [window.locate(*characters[n])[0] for n in tokens]
    best: dict[int, Span] = {}
    for sentence in dict.fromkeys(place):
        inside = [n for n, p in enumerate(place) if p == sentence]
        table = first[inside][:, None] + last[inside][None, :]
        band = np.triu(np.ones_like(table, bool)) & ~np.triu(np.ones_like(table, bool), SPAN_TOKENS)
        table = np.where(band, table, -np.inf)
        a, b = divmod(int(table.argmax()), table.shape[1])
        begin, end = characters[tokens[inside[a]]][0], characters[tokens[inside[b]]][1]
        _, start, stop = window.locate(begin, end)
        best[sentence] = Span(sentence, start, stop, float(table[a, b]))
    return Reading(window, float(logits[0, 2]), tuple(sorted(best.values(), key=lambda s: (-s.score, s.place))))


def _log_softmax(x: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    shifted = x.astype(np.float64) - x.max()
    found: npt.NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum())
    return found


def load_reader(settings: Settings) -> "EmbeddedReader | None":
    """The reader that `settings.reader` names, None when it is switched off. Two seconds.

    Raises: ReaderUnavailable or EncoderUnavailable if its weights, the backbone or the runtime cannot be loaded.
    """
    if settings.reader == OFF:
        return None
    backbone = fingerprint_of(settings.model_copy(update={"encoder": EMBEDDED}))
    with as_file(files("rag.reader") / "reader.safetensors") as shipped:
        path = shipped if settings.reader == EMBEDDED else Path(settings.reader).expanduser()
        adapter = Adapter.read(path, backbone)
    file: Any = E5File.read(model_path())
    try:
        return EmbeddedReader(file, adapter, fingerprint=adapter.digest, threads=_cores())
    except ImportError as e:
        raise ReaderUnavailable(
            f"阅读器要用的 openvino 装不进来 (cannot import): {e}。", "重装本软件,或设 YUNTU_READER=off"
        ) from e


def _cores() -> int:
    """The cores this process may run on, or as many threads as OMP_NUM_THREADS asks for."""
    if os.environ.get("OMP_NUM_THREADS", "").isdigit():
        return int(os.environ["OMP_NUM_THREADS"])
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
