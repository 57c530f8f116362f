"""The embedded e5 with the adapter merged in, as an OpenVINO network: token embeddings → logits."""

from typing import TYPE_CHECKING, Any

from index.e5_network import INT8, EightBit, LayerAs, body, compiled, linear, precision
from index.embedded_e5 import E5File
from rag.reader.adapter import Adapter

if TYPE_CHECKING:
    from openvino import CompiledModel


def reader_network(file: E5File, adapter: Adapter) -> "CompiledModel":
    """The network, ready to run. Inputs: embeddings (pairs, tokens, hidden) float32 and attention mask (pairs, tokens)
    float32; output: logits (pairs, tokens, 3).
    """
    in_8_bits = precision() == INT8 and adapter.ranges
    return compiled(network(file, adapter, EightBit(adapter.ranges) if in_8_bits else linear))


def network(file: E5File, adapter: Adapter, layer_as: LayerAs) -> Any:
    """The openvino.Model; `layer_as` says how a linear layer is computed."""
    import openvino

    inner = body(file, layer_as, adapter.change)
    logits = linear("heads", inner.states, adapter.heads, adapter.bias)
    return openvino.Model([logits], [inner.embeddings, inner.mask], "reader")
