"""What the reader learned: low-rank changes to the backbone's linear layers, and two heads. One safetensors file."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from index.e5_network import Ranges
from index.embedded_e5 import weights_digest
from index.errors import ReaderUnavailable

FORMAT = "2"
RANGE = "range."  # in front of an input's name: its tensor (2, channels), least and greatest values
_ADVICE = "重装本软件,或设 YUNTU_READER=off 不用阅读器 (reinstall, or switch the reader off)"


@dataclass(frozen=True, slots=True, eq=False)
class Adapter:
    """LoRA factors by BertModel's layer names: the change to a weight (out, in) is scale × B (out, r) @ A (r, in)."""

    factors: Mapping[str, npt.NDArray[np.float32]]
    heads: npt.NDArray[np.float32]  # (3, hidden): answer's first token, last token, whether the window answers
    bias: npt.NDArray[np.float32]  # (3,)
    scale: float
    trained: Mapping[str, Any]  # on what and how far, as the training wrote it
    digest: str  # sha256 of the file
    ranges: Ranges = field(default_factory=dict)  # of what the adapted layers read, for 8 bits; none: not measured

    @classmethod
    def read(cls, path: Path) -> "Adapter":
        """Reads an adapter trained on the weights at hand.

        Raises: ReaderUnavailable if the file is missing, damaged, of another format or for another backbone.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(str(path), framework="np") as f:
                made = f.metadata() or {}
                tensors = {name: f.get_tensor(name).astype(np.float32) for name in f.keys()}  # noqa: SIM118
        except (OSError, SafetensorError) as e:
            raise ReaderUnavailable(f"读不了阅读器权重 (cannot read reader weights) {path}: {e}。", _ADVICE) from e
        if made.get("format") != FORMAT or made.get("encoder") != weights_digest():
            raise ReaderUnavailable(
                f"阅读器权重不是为这个版本的内置编码器训练的 (reader weights of another version): {path}。", _ADVICE
            )
        try:
            heads, bias = tensors.pop("heads.weight"), tensors.pop("heads.bias")
            measured = {name: tensors.pop(name) for name in list(tensors) if name.startswith(RANGE)}
            ranges = {name.removeprefix(RANGE): (rows[0], rows[1]) for name, rows in measured.items()}
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            return cls(tensors, heads, bias, float(made["scale"]), json.loads(made["trained"]), digest, ranges)
        except (KeyError, ValueError) as e:
            raise ReaderUnavailable(f"阅读器权重不完整 (incomplete reader weights) {path}: {e}。", _ADVICE) from e

    def change(self, layer: str) -> npt.NDArray[np.float32] | float:
        """What to add to a layer's weight; 0 for one that was not trained."""
        a, b = self.factors.get(f"{layer}.lora_A.weight"), self.factors.get(f"{layer}.lora_B.weight")
        return 0.0 if a is None or b is None else self.scale * (b @ a)
