"""The embedded e5 as an OpenVINO network, built straight from the weights file, without torch.

Where the processor computes in bfloat16 it does. Where it has 8-bit instructions (VNNI) the linear layers run in
8 bits: weights with one scale a row, inputs with one scale for all, after the channels that reach far have been made
smaller and their weights larger ("smoothing": arXiv 2211.10438). How far the inputs reach was measured once, by
`python -m bench.fit_ranges`, and is shipped. Elsewhere: float32.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from index.compiled import compiled
from index.embedded_e5 import E5File, sha256_of, weights_digest
from index.errors import EncoderUnavailable

Floats = npt.NDArray[np.float32]
LayerAs = Callable[[str, Any, Floats, Floats], Any]  # (name, x, weight (out, in), bias) → x @ weight.T + bias
Ranges = Mapping[str, tuple[Floats, Floats]]  # input of linear layers → least and greatest value of each channel
FLOAT32, BFLOAT16, INT8 = "float32", "bfloat16", "int8"
# Attention and gelu run a tenth to a fifth slower on lengths between these: texts are padded up to one.
TOKEN_STEP = 16
_LAYERS = {  # BertModel's name of a linear layer → the file's
    "attention.self.query": "q",
    "attention.self.key": "k",
    "attention.self.value": "v",
    "attention.output.dense": "ao",
    "intermediate.dense": "fi",
    "output.dense": "fo",
}
# How much of a channel's reach moves into its weights. Of .5 to 1, the one whose vectors of 80 passages and 100
# questions of cmrc_train were nearest to float32's (mean cosine .9996). What attention gives reaches evenly as it is.
_SMOOTHING = 0.7
_EVEN = "attention.output.dense"


@dataclass(frozen=True, slots=True)
class Body:
    """The network up to its last layer."""

    embeddings: Any  # input: (texts, tokens, hidden) float32
    mask: Any  # input: (texts, tokens) float32, 1 for what is read
    states: Any  # (texts, tokens, hidden)


def body(file: E5File, layer_as: LayerAs, change: Callable[[str], Floats | float] = lambda _: 0.0) -> Body:
    """The encoder's layers.

    Args:
        layer_as: how a linear layer is computed: `linear`, or an EightBit.
        change: added to the weights of the linear layer that BertModel calls so.
    """
    import openvino
    from openvino import opset13 as op

    hidden, heads = file.hidden, file.heads
    width = hidden // heads
    embeddings = op.parameter([-1, -1, hidden], openvino.Type.f32, name="embeddings")
    mask = op.parameter([-1, -1], openvino.Type.f32, name="mask")
    unread = op.multiply(op.subtract(op.constant(np.float32(1)), mask), op.constant(np.float32(-1e4)))
    unread = op.unsqueeze(unread, op.constant(np.array([1, 2])))  # (texts, 1, 1, tokens)

    def normalised(x: Any, name: str) -> Any:
        scale, shift = file.floats(f"{name}.w", hidden), file.floats(f"{name}.b", hidden)
        centred = op.mvn(x, op.constant(np.array([-1])), True, file.eps, "inside_sqrt")
        return op.add(op.multiply(centred, op.constant(scale)), op.constant(shift))

    def layer(x: Any, n: int, name: str) -> Any:
        short, long = f"l{n}.{_LAYERS[name]}", f"encoder.layer.{n}.{name}"
        out = file.ffn if name == "intermediate.dense" else hidden
        weight = file.floats(f"{short}.w", out, file.ffn if name == "output.dense" else hidden)
        return layer_as(long, x, weight + change(long), file.floats(f"{short}.b", out))

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
    return Body(embeddings, mask, x)


def linear(_: str, x: Any, weight: Floats, bias: Floats) -> Any:
    """x @ weight.T + bias, as it is."""
    from openvino import opset13 as op

    return op.add(op.matmul(x, op.constant(weight), False, True), op.constant(bias))


def input_of(name: str) -> str:
    """What a linear layer reads: query, key and value read the same."""
    return name.rpartition(".")[0] if ".self." in name else name


class EightBit:
    """A `LayerAs` in 8 bits, for one network."""

    def __init__(self, ranges: Ranges) -> None:
        self._ranges = ranges
        self._inputs: dict[str, tuple[Any, Floats]] = {}

    def __call__(self, name: str, x: Any, weight: Floats, bias: Floats) -> Any:
        """See LayerAs."""
        from openvino import opset13 as op

        rounded, reach = self._inputs.get(input_of(name)) or self._rounded(input_of(name), x)
        smoothed = np.asarray(weight * reach, np.float32)
        most = np.maximum(np.abs(smoothed).max(1, keepdims=True), 1e-12)
        low, high = op.constant(-most), op.constant(most)
        weights = op.fake_quantize(op.constant(smoothed), low, high, low, high, 255)
        return op.add(op.matmul(rounded, weights, False, True), op.constant(bias))

    def _rounded(self, name: str, x: Any) -> tuple[Any, Floats]:
        """The input on 256 steps, and by what its channels were divided."""
        from openvino import opset13 as op

        least, most = self._ranges[name]
        reach = np.ones_like(most)
        if not name.endswith(_EVEN):
            far = np.maximum(np.maximum(most, -least), 1e-6) ** _SMOOTHING
            reach = np.asarray(far / np.exp(np.log(far).mean()), np.float32)
            x = op.multiply(x, op.constant((1 / reach).reshape(1, 1, -1)))
        lowest, highest = min(float((least / reach).min()), 0.0), max(float((most / reach).max()), 0.0)
        step = (highest - lowest) / 255
        zero = round(-lowest / step)  # a whole step: nothing is nothing
        low, high = (op.constant(np.full((1, 1, 1), step * n, np.float32)) for n in (-zero, 255 - zero))
        self._inputs[name] = op.fake_quantize(x, low, high, low, high, 256), reach
        return self._inputs[name]


def read_ranges(path: Path) -> Ranges:
    """What `write_ranges` wrote. Raises: EncoderUnavailable if it cannot be read."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="np") as f:
            found = {name: f.get_tensor(name).astype(np.float32) for name in f.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as e:
        raise EncoderUnavailable(f"读不了 (cannot read) {path}: {e}。", "重装本软件 (reinstall)") from e
    return {name: (rows[0], rows[1]) for name, rows in found.items()}


def write_ranges(ranges: Ranges, path: Path) -> None:
    """Writes a safetensors file: for each input (2, channels) float16."""
    from safetensors.numpy import save_file

    save_file({name: np.stack(rows).astype(np.float16) for name, rows in ranges.items()}, str(path))


@cache
def precision() -> str:
    """What linear layers are computed in on this processor: BFLOAT16, INT8 or FLOAT32."""
    import openvino

    if "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        return BFLOAT16
    return INT8 if _has_vnni() else FLOAT32


def _has_vnni() -> bool:
    """8-bit products that cannot overflow. Without them they are no faster, and wrong where they do."""
    try:
        return "vnni" in Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False


def code() -> str:
    """This file in a hash: networks made by other code are not taken over."""
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()


def states_by(
    file: E5File, ranges: Path, kept: Path | None = None
) -> Callable[[npt.NDArray[np.int64], Floats], Floats]:
    """ids and mask (texts, tokens) → the last layer's states (texts, tokens, hidden); one call at a time.

    Args:
        ranges: the file of `write_ranges`.
        kept: the folder of compiled networks.
    """
    import openvino

    def make() -> Any:
        network = body(file, EightBit(read_ranges(ranges)) if precision() == INT8 else linear)
        return openvino.Model([network.states], [network.embeddings, network.mask], "encoder")

    made_of = f"{weights_digest()} {sha256_of(ranges)} {precision()} {code()}"
    request, embed = compiled(make, made_of, kept).create_infer_request(), TokenEmbeddings(file)

    def states(ids: npt.NDArray[np.int64], mask: Floats) -> Floats:
        return np.array(next(iter(request.infer([embed(ids), mask]).values())))

    return states


class TokenEmbeddings:
    """ids (texts, tokens) → (texts, tokens, hidden): word, position and type rows added up, not yet normalised."""

    def __init__(self, file: E5File) -> None:
        self._scales, self._nibbles = file.blocks("emb.word", file.rows)
        self._hidden = file.hidden
        kind = file.floats("emb.type", file.token_types, file.hidden)[0]
        self._places: Floats = file.floats("emb.pos", file.positions, file.hidden) + kind

    def __call__(self, ids: npt.NDArray[np.int64]) -> Floats:
        """See the class."""
        nibbles = self._nibbles[ids]  # (texts, tokens, blocks, 16)
        words = np.empty((*nibbles.shape[:3], 2, nibbles.shape[3]), np.float32)
        np.subtract(nibbles & 15, np.float32(8), out=words[..., 0, :])
        np.subtract(nibbles >> 4, np.float32(8), out=words[..., 1, :])
        words *= self._scales[ids][..., None, None].astype(np.float32)
        found: Floats = words.reshape(*ids.shape, self._hidden)
        found += self._places[: ids.shape[1]]
        return found


def padded(rows: Sequence[Sequence[int]]) -> tuple[npt.NDArray[np.int64], Floats]:
    """Token ids of different length → ids and mask (rows, a multiple of TOKEN_STEP)."""
    longest = -(-max(map(len, rows)) // TOKEN_STEP) * TOKEN_STEP
    ids, mask = np.zeros((len(rows), longest), np.int64), np.zeros((len(rows), longest), np.float32)
    for n, row in enumerate(rows):
        ids[n, : len(row)], mask[n, : len(row)] = row, 1
    return ids, mask
