"""Windows → readings: whether each answers the question, and with which characters."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from index.e5_network import TokenEmbeddings, padded
from index.embedded_e5 import E5File, shipped_file, shipped_tokenizer
from index.errors import ReaderUnavailable
from index.settings import EMBEDDED, OFF, Settings
from rag.reader.adapter import Adapter
from rag.reader.network import reader_network
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

    def __init__(self, file: E5File, adapter: Adapter, kept: Path | None = None) -> None:
        """`kept`: the folder of compiled networks."""
        self.fingerprint = adapter.digest
        self.trained = adapter.trained
        self._tokenizer = PairTokenizer(file, shipped_tokenizer())
        self._embed = TokenEmbeddings(file)
        self._request = reader_network(file, adapter, kept).create_infer_request()
        self._lock = threading.Lock()

    def read(self, question: str, windows: Sequence[Window]) -> list[Reading]:
        """See Reader. A window without text answers nothing."""
        return [self._read(question, w) if w.text.strip() else Reading(w, NEVER, ()) for w in windows]

    def _read(self, question: str, window: Window) -> Reading:
        # One at a time costs no more than together (both keep the cores busy), needs no padding to the longest, and
        # what is found does not depend on what else is read.
        ids, characters = self._tokenizer.pair(question, window.heading, window.text)
        tokens, mask = padded([ids])
        with self._lock:
            outputs = self._request.infer([self._embed(tokens), mask])
            logits = np.array(next(iter(outputs.values())))[0]
        return reading_of(window, logits, characters)


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
    """The reader that `settings.reader` names, None when it is switched off. A fifth of a second, two the first time.

    Raises: ReaderUnavailable or EncoderUnavailable if its weights, the backbone or the runtime cannot be loaded.
    """
    if settings.reader == OFF:
        return None
    with as_file(files("rag.reader") / "reader.safetensors") as shipped:
        path = shipped if settings.reader == EMBEDDED else Path(settings.reader).expanduser()
        adapter = Adapter.read(path)
    try:
        return EmbeddedReader(shipped_file(), adapter, settings.cache)
    except ImportError as e:
        raise ReaderUnavailable(
            f"阅读器要用的 openvino 装不进来 (cannot import): {e}。", "重装本软件,或设 YUNTU_READER=off"
        ) from e
