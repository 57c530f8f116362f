"""The embedded e5 in torch: what computes its states where OpenVINO does not run, and what training starts from."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from index.e5_encoder import States
from index.e5_network import Floats
from index.embedded_e5 import LAYER_NAMES, E5File, expected_shapes

if TYPE_CHECKING:
    from transformers import BertModel


def torch_states(file: E5File) -> States:
    """States by torch, in float32."""
    import torch

    bert = bert_of(file)

    def states(ids: npt.NDArray[np.int64], mask: Floats) -> Floats:
        with torch.inference_mode():
            output = bert(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask).long())
        found: Floats = output.last_hidden_state.numpy()
        return found

    return states


def bert_of(file: E5File) -> "BertModel":
    """A transformers `BertModel` in evaluation mode on the CPU; its word table is expanded row by row on lookup."""
    import torch  # here and below, not above: the tokenizer and the fingerprint need no torch, and it takes seconds
    from transformers import BertConfig, BertModel

    class QuantizedEmbedding(torch.nn.Module):
        """ids (…) → rows (…, hidden), float32. Buffers, so it moves to a device; not saved, they are the wheel's."""

        scales: torch.Tensor
        nibbles: torch.Tensor

        def __init__(self, scales: npt.NDArray[np.float16], nibbles: npt.NDArray[np.uint8]) -> None:
            super().__init__()
            self.register_buffer("scales", torch.from_numpy(np.ascontiguousarray(scales)), persistent=False)
            self.register_buffer("nibbles", torch.from_numpy(nibbles), persistent=False)

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            nibbles = self.nibbles[ids]
            weights = torch.cat((nibbles & 15, nibbles >> 4), dim=-1).float() - 8
            return (weights * self.scales[ids].float().unsqueeze(-1)).flatten(-2)

    config = BertConfig(
        vocab_size=file.rows,
        hidden_size=file.hidden,
        num_hidden_layers=file.layers,
        num_attention_heads=file.heads,
        intermediate_size=file.ffn,
        max_position_embeddings=file.positions,
        type_vocab_size=file.token_types,
        layer_norm_eps=file.eps,
        pad_token_id=file.pad,
    )
    with torch.device("meta"):  # shapes only: a real one would first fill 384 MB with random numbers
        bert = BertModel(config, add_pooling_layer=False)
    embeddings = bert.embeddings
    embeddings.word_embeddings = QuantizedEmbedding(*file.blocks("emb.word", file.rows))
    for name, buffer in list(embeddings.named_buffers(recurse=False)):  # the only two, and not part of the state dict
        values = torch.arange(file.positions).expand(1, -1) if name == "position_ids" else torch.zeros(buffer.shape)
        embeddings.register_buffer(name, values.long(), persistent=False)

    names = {
        "embeddings.position_embeddings.weight": "emb.pos",
        "embeddings.token_type_embeddings.weight": "emb.type",
        "embeddings.LayerNorm.weight": "emb.ln.w",
        "embeddings.LayerNorm.bias": "emb.ln.b",
    }
    for layer in range(file.layers):
        for long, short in LAYER_NAMES.items():
            names[f"encoder.layer.{layer}.{long}.weight"] = f"l{layer}.{short}.w"
            names[f"encoder.layer.{layer}.{long}.bias"] = f"l{layer}.{short}.b"
    shapes = expected_shapes(file.hidden, file.layers, file.ffn, file.rows, file.positions, file.token_types)
    state = {long: torch.from_numpy(file.floats(short, *shapes[short])) for long, short in names.items()}
    bert.load_state_dict(state, assign=True)  # strict: a name transformers has renamed is an error, not random weights
    bert.requires_grad_(False)
    return bert.eval()
