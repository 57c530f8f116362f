"""Any sentence-transformers model as an Encoder, with its own prompts. Imports torch."""

import logging
import os
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from index.cores import cores
from index.embedded_e5 import PASSAGE_PROMPT, QUERY_PROMPT, without_surrogates
from index.errors import EncoderUnavailable

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

BATCH_SIZE = 8  # larger ones were no faster on 2 cores (350 characters: 0.12-0.14 CPU seconds a passage at 4, 8 and 16)

# intfloat's e5 models (and fine-tuned ones that keep the name) were trained with prefixes their folders do not always
# name. The -instruct ones want another form, which only the task's author can word: they are left as they are.
_E5_FAMILY = re.compile(r"\be5-(small|base|large)\b(?!.*instruct)", re.IGNORECASE)


class SentenceTransformerEncoder:
    """Any sentence-transformers model behind the Encoder protocol, with its own prompts.

    Threads may share one: a batch at a time runs, on all cores, and a query waits for one batch at most.
    """

    def __init__(self, model: "SentenceTransformer", *, name: str, fingerprint: str, progress: bool = False) -> None:
        """`progress`: a bar on stderr while passages are encoded, silent off a terminal."""
        self.name = name
        self.fingerprint = fingerprint
        self.precision = "float32"
        self._model = model
        self._progress = progress
        self._lock = threading.Lock()
        self._query_prompt, self._passage_prompt = _prompts_of(model, name)
        self.dim = int(self._encode_queries(["维"]).shape[1])  # asked of the model: its own method has changed names

    def encode_passages(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """See Encoder. Texts longer than the model reads are cut at its limit."""
        rows = np.empty((len(texts), self.dim), np.float32)
        # Similar lengths together: little padding. Longest first, so that memory peaks, or fails, at once.
        order = sorted(range(len(texts)), key=lambda i: (-len(texts[i]), i))
        with tqdm(total=len(texts), desc="编码", unit="段", disable=None if self._progress else True) as bar:
            for start in range(0, len(order), BATCH_SIZE):
                batch = order[start : start + BATCH_SIZE]
                rows[batch] = self._encode_documents([texts[i] for i in batch])
                bar.update(len(batch))
        return rows

    def encode_parts(
        self, texts: Sequence[str], parts: Sequence[Sequence[tuple[int, int]]]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """See Encoder. Each stretch is encoded on its own: not every model's tokens have vectors of their own."""
        stretches = [text[a:b] for text, own in zip(texts, parts, strict=True) for a, b in own]
        return self.encode_passages(texts), self.encode_passages(stretches)

    def encode_query(self, query: str) -> npt.NDArray[np.float32]:
        """See Encoder."""
        row: npt.NDArray[np.float32] = self._encode_queries([query])[0]
        return row

    def _encode_documents(self, texts: list[str]) -> npt.NDArray[np.float32]:
        with self._lock:
            return _unit_rows(
                self._model.encode_document(
                    [without_surrogates(text) for text in texts],
                    prompt=self._passage_prompt,
                    batch_size=BATCH_SIZE,
                    show_progress_bar=False,
                )
            )

    def _encode_queries(self, texts: list[str]) -> npt.NDArray[np.float32]:
        with self._lock:
            return _unit_rows(
                self._model.encode_query(
                    [without_surrogates(text) for text in texts], prompt=self._query_prompt, show_progress_bar=False
                )
            )


def load_named(name: str, *, fingerprint: str, progress: bool = False) -> SentenceTransformerEncoder:
    """Loads it. Raises: EncoderUnavailable."""
    _prepare_libraries()
    from sentence_transformers import SentenceTransformer

    try:
        model = SentenceTransformer(str(Path(name).expanduser()) if Path(name).expanduser().is_dir() else name)
    except Exception as e:  # a third party's door: network, hub, file and configuration errors share no base class
        raise EncoderUnavailable(
            f"加载不了编码器 {name!r} (cannot load): {e}。",
            "请检查 YUNTU_ENCODER 的名称、路径和网络;不设置它就用内置编码器 (unset it for the embedded one)",
        ) from e
    return SentenceTransformerEncoder(model, name=name, fingerprint=fingerprint, progress=progress)


def _prepare_libraries() -> None:
    """Quiet, and as many threads as this process has cores."""
    # OpenMP's threads sleep while they wait for one another instead of spinning: with one other busy process on 2 cores
    # a query took 460 ms spinning and 42 ms sleeping, passages 5 and 8 a second. Read once, when torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # torch has the cores
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    import torch
    import transformers

    for library in ("sentence_transformers", "huggingface_hub"):
        logging.getLogger(library).setLevel(logging.ERROR)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    if "OMP_NUM_THREADS" not in os.environ:  # set by someone who knows better
        torch.set_num_threads(cores())


def _prompts_of(model: "SentenceTransformer", name: str) -> tuple[str | None, str | None]:
    """The prefixes for queries and passages; None leaves the model's default.

    Taken from the model here because sentence-transformers fills a missing "document" prompt with an empty one, which
    then hides a "passage" prompt the model does have.
    """
    prompts: dict[str, str] = {key: prompt for key, prompt in model.prompts.items() if prompt}
    if not prompts and _E5_FAMILY.search(name):
        return QUERY_PROMPT, PASSAGE_PROMPT
    passage = prompts.get("document") or prompts.get("passage") or prompts.get("corpus")
    return prompts.get("query"), passage


def _unit_rows(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Rows scaled to length 1, as float32; models without a normalising layer do not do it themselves."""
    rows = np.asarray(vectors, np.float32)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(length, np.finfo(np.float32).tiny), np.float32)
