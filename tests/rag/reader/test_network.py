"""The network built from the weights file computes what transformers' BertModel computes with the same weights."""

import numpy as np
import pytest

from index import embedded_e5
from index.compiled import compiled
from index.e5_network import TokenEmbeddings, linear
from index.e5_torch import bert_of
from rag.reader.network import network, reader_network
from tests.rag.reader.small import adapter

pytestmark = pytest.mark.slow
FILE = embedded_e5.E5File.read(embedded_e5.model_path())
ADAPTER = adapter(FILE)


@pytest.fixture(scope="module")
def batch() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    ids, mask = rng.integers(5, FILE.rows - 100, (3, 40)), np.ones((3, 40), np.int64)
    mask[1, 25:] = 0  # a shorter one
    ids[1, 25:] = FILE.pad
    return ids, mask


@pytest.fixture(scope="module")
def expected(batch: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    import torch

    bert = bert_of(FILE)
    with torch.inference_mode():
        for name, module in bert.named_modules():
            if isinstance(module, torch.nn.Linear):
                module.weight = torch.nn.Parameter(module.weight + torch.tensor(ADAPTER.change(name)))
        ids, mask = (torch.tensor(x) for x in batch)
        states = bert(input_ids=ids, attention_mask=mask).last_hidden_state.numpy()
    return states @ ADAPTER.heads.T + ADAPTER.bias


def test_in_float32_it_is_the_same(batch: tuple[np.ndarray, np.ndarray], expected: np.ndarray) -> None:
    ids, mask = batch
    run = compiled(lambda: network(FILE, ADAPTER, linear), exact=True)
    logits = next(iter(run([TokenEmbeddings(FILE)(ids), mask.astype(np.float32)]).values()))
    np.testing.assert_allclose(logits[mask > 0], expected[mask > 0], atol=2e-3)


def test_as_it_ships_it_is_close(batch: tuple[np.ndarray, np.ndarray], expected: np.ndarray) -> None:
    ids, mask = batch
    run = reader_network(FILE, ADAPTER)
    logits = next(iter(run([TokenEmbeddings(FILE)(ids), mask.astype(np.float32)]).values()))
    off = np.abs(logits[mask > 0] - expected[mask > 0])
    assert off.mean() < 0.05 * np.abs(expected[mask > 0]).std()


def test_padding_changes_nothing(batch: tuple[np.ndarray, np.ndarray]) -> None:
    ids, mask = batch
    run, embed = reader_network(FILE, ADAPTER), TokenEmbeddings(FILE)
    padded = next(iter(run([embed(ids), mask.astype(np.float32)]).values()))[1, :25]
    alone = next(iter(run([embed(ids[1:2, :25]), mask[1:2, :25].astype(np.float32)]).values()))[0]
    np.testing.assert_allclose(padded, alone, atol=0.05)
