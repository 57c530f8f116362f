"""The embedded e5 with the adapter merged in, as an OpenVINO network: token embeddings → logits."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.compiled import compiled
from index.e5_network import INT8, EightBit, LayerAs, body, code, linear, precision
from index.embedded_e5 import E5File, weights_digest
from rag.reader.adapter import Adapter

if TYPE_CHECKING:
    from openvino import CompiledModel


def reader_network(file: E5File, adapter: Adapter, kept: Path | None = None) -> "CompiledModel":
    """The network, ready to run. Inputs: embeddings (pairs, tokens, hidden) float32 and attention mask (pairs, tokens)
    float32; output: logits (pairs, tokens, 3).

    Args:
        kept: the folder of compiled networks.
    """
    in_8_bits = precision() == INT8 and adapter.ranges
    own = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    return compiled(
        lambda: network(file, adapter, EightBit(adapter.ranges) if in_8_bits else linear),
        f"{weights_digest()} {adapter.digest} {precision()} {code()} {own}",
        kept,
    )


def network(file: E5File, adapter: Adapter, layer_as: LayerAs) -> Any:
    """The openvino.Model; `layer_as` says how a linear layer is computed."""
    import openvino

    inner = body(file, layer_as, adapter.change)
    logits = linear("heads", inner.states, adapter.heads, adapter.bias)
    return openvino.Model([logits], [inner.embeddings, inner.mask], "reader")
