"""The embedded e5 with the adapter merged in, as an OpenVINO network: token embeddings → logits.

Built straight from the weights file, without torch. Where the processor computes in bfloat16 it does; elsewhere the
linear layers hold 8-bit weights and their inputs are quantised as they come.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from index.embedded_e5 import E5File
from rag.reader.adapter import Adapter

if TYPE_CHECKING:
    from openvino import CompiledModel

Floats = npt.NDArray[np.float32]
_LAYERS = {  # BertModel's name of a linear layer → the file's
    "attention.self.query": "q",
    "attention.self.key": "k",
    "attention.self.value": "v",
    "attention.output.dense": "ao",
    "intermediate.dense": "fi",
    "output.dense": "fo",
}
_GROUP = "64"  # inputs quantised together: 32 was slower, 128 no faster and further from the float32 network


def compiled(file: E5File, adapter: Adapter, *, threads: int) -> "CompiledModel":
    """The network, ready to run. Inputs: embeddings (pairs, tokens, hidden) float32 and attention mask (pairs, tokens)
    float32; output: logits (pairs, tokens, 3).
    """
    import openvino

    core = openvino.Core()
    bfloat16 = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    options = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
    if not bfloat16:
        options["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = _GROUP
    return core.compile_model(network(file, adapter, linear if bfloat16 else linear_8_bit), "CPU", options)


def network(file: E5File, adapter: Adapter, layer_as: Callable[[Any, Floats, Floats], Any]) -> Any:
    """The openvino.Model; `layer_as(x, weight (out, in), bias)` says how a linear layer is computed."""
    import openvino
    from openvino import opset13 as op

    hidden, heads = file.hidden, file.heads
    width = hidden // heads
    embeddings = op.parameter([-1, -1, hidden], openvino.Type.f32, name="embeddings")
    mask = op.parameter([-1, -1], openvino.Type.f32, name="mask")
    unread = op.multiply(op.subtract(op.constant(np.float32(1)), mask), op.constant(np.float32(-1e4)))
    unread = op.unsqueeze(unread, op.constant(np.array([1, 2])))  # (pairs, 1, 1, tokens)

    def normalised(x: Any, name: str) -> Any:
        scale, shift = file.floats(f"{name}.w", hidden), file.floats(f"{name}.b", hidden)
        centred = op.mvn(x, op.constant(np.array([-1])), True, file.eps, "inside_sqrt")
        return op.add(op.multiply(centred, op.constant(scale)), op.constant(shift))

    def layer(x: Any, n: int, name: str) -> Any:
        short = f"l{n}.{_LAYERS[name]}"
        out = file.ffn if name == "intermediate.dense" else hidden
        weight = file.floats(f"{short}.w", out, file.ffn if name == "output.dense" else hidden)
        weight = weight + adapter.change(f"encoder.layer.{n}.{name}")
        return layer_as(x, weight, file.floats(f"{short}.b", out))

    def by_head(x: Any) -> Any:
        split = op.reshape(x, op.constant(np.array([0, 0, heads, width])), True)
        return op.transpose(split, op.constant(np.array([0, 2, 1, 3])))

    x: Any = normalised(embeddings, "emb.ln")
    for n in range(file.layers):
        query, key, value = (by_head(layer(x, n, f"attention.self.{part}")) for part in ("query", "key", "value"))
        seen = op.scaled_dot_product_attention(query, key, value, unread)
        seen = op.transpose(seen, op.constant(np.array([0, 2, 1, 3])))
        seen = op.reshape(seen, op.constant(np.array([0, 0, hidden])), True)
        x = normalised(op.add(layer(seen, n, "attention.output.dense"), x), f"l{n}.aln")
        wide = op.gelu(layer(x, n, "intermediate.dense"), "erf")
        x = normalised(op.add(layer(wide, n, "output.dense"), x), f"l{n}.oln")
    return openvino.Model([linear(x, adapter.heads, adapter.bias)], [embeddings, mask], "reader")


def linear(x: Any, weight: Floats, bias: Floats) -> Any:
    """x @ weight.T + bias, as it is."""
    from openvino import opset13 as op

    return op.add(op.matmul(x, op.constant(weight), False, True), op.constant(bias))


def linear_8_bit(x: Any, weight: Floats, bias: Floats) -> Any:
    """The weight as 8-bit integers with one scale a row, which the runtime multiplies without expanding them."""
    import openvino
    from openvino import opset13 as op

    scale = np.maximum(np.abs(weight).max(1, keepdims=True), 1e-12) / 127
    whole = np.clip(np.round(weight / scale), -127, 127).astype(np.int8)
    expanded = op.multiply(
        op.convert(op.constant(whole, openvino.Type.i8), openvino.Type.f32), op.constant(scale.astype(np.float32))
    )
    return op.add(op.matmul(x, expanded, False, True), op.constant(bias))


class TokenEmbeddings:
    """ids (pairs, tokens) → (pairs, tokens, hidden): word, position and type rows added up, not yet normalised."""

    def __init__(self, file: E5File) -> None:
        self._scales, self._nibbles = file.blocks("emb.word", file.rows)
        self._hidden = file.hidden
        kind = file.floats("emb.type", file.token_types, file.hidden)[0]
        self._places: Floats = file.floats("emb.pos", file.positions, file.hidden) + kind

    def __call__(self, ids: npt.NDArray[np.int64]) -> Floats:
        """See the class."""
        nibbles = self._nibbles[ids]  # (pairs, tokens, blocks, 16)
        weights = np.concatenate((nibbles & 15, nibbles >> 4), axis=-1).astype(np.float32) - 8
        words = (weights * self._scales[ids][..., None].astype(np.float32)).reshape(*ids.shape, self._hidden)
        found: Floats = words + self._places[: ids.shape[1]]
        return found
