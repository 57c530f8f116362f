"""The embedded e5 as an Encoder: one state a token, means of them as vectors, and many who ask at once.

The fast tests give it states of their own; the slow ones the network that ships.
"""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from index.e5_encoder import BATCH_TOKENS, REMEMBERED, E5Encoder
from index.e5_network import TOKEN_STEP
from index.embedded_e5 import MAX_TOKENS, PASSAGE_PROMPT, QUERY_PROMPT, shipped_file, shipped_tokenizer
from index.encode import Encoder
from tests.index.texts import ENGLISH, LONG, SIMPLIFIED, TEXTS, TRADITIONAL

WIDTH = 8
AT_ONCE = 16
States = Callable[[np.ndarray, np.ndarray], np.ndarray]


class CharacterTokenizer:
    """A token a character, between two marks, as much of a tokenizer as the encoder uses."""

    def __init__(self, most: int = 512) -> None:
        self._most = most

    def encode(self, text: str) -> Any:
        kept = text[: self._most - 2]
        ids = [0, *(ord(c) % 1000 + 5 for c in kept), 2]
        offsets = [(0, 0), *((i, i + 1) for i in range(len(kept))), (0, 0)]
        return SimpleNamespace(ids=ids, offsets=offsets, attention_mask=[1] * len(ids))

    def encode_batch(self, texts: Sequence[str]) -> list[Any]:
        found = [self.encode(text) for text in texts]
        longest = max((len(e.ids) for e in found), default=0)
        for e in found:
            missing = longest - len(e.ids)
            e.ids, e.offsets = e.ids + [1] * missing, e.offsets + [(0, 0)] * missing
            e.attention_mask = e.attention_mask + [0] * missing
        return found


class Network:
    """States that depend on the token and its place. Remembers the shapes it was given; fails when told to."""

    def __init__(self, takes_s: float = 0.0) -> None:
        self.shapes: list[tuple[int, ...]] = []
        self.fails = 0  # calls to come that raise
        self.inside = 0
        self._takes_s = takes_s
        self._rows = np.random.default_rng(1).normal(0, 1, (1024, WIDTH)).astype(np.float32)

    def __call__(self, ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        self.inside += 1
        assert self.inside == 1, "one call at a time"
        time.sleep(self._takes_s)
        self.inside -= 1
        self.shapes.append(ids.shape)
        if self.fails:
            self.fails -= 1
            raise MemoryError("the network failed")
        places = np.sin(np.arange(ids.shape[1], dtype=np.float32))[None, :, None]
        return (self._rows[ids] + places) * (1 + mask[:, :, None])


def encoder_of(network: States, most: int = 512) -> E5Encoder:
    file: Any = SimpleNamespace(hidden=WIDTH)
    tokenizer: Any = CharacterTokenizer(most)
    return E5Encoder(file, tokenizer, network, name="small", fingerprint="f", precision="float32")


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


# --- passages and their sentences -------------------------------------------------------------------------------------


def test_a_passage_is_the_mean_of_its_tokens_and_a_sentence_of_its_own() -> None:
    network = Network()
    text, parts = "云市场。价格。", [(0, 4), (4, 7)]
    rows, part_rows = encoder_of(network).encode_parts([text], [parts])
    tokens = CharacterTokenizer().encode(PASSAGE_PROMPT + text).ids
    states = network(np.array([tokens]), np.ones((1, len(tokens)), np.float32))[0]
    np.testing.assert_allclose(rows[0], unit(states.mean(0)), atol=1e-6)
    first = 1 + len(PASSAGE_PROMPT)
    for row, (a, b) in zip(part_rows, parts, strict=True):
        np.testing.assert_allclose(row, unit(states[first + a : first + b].mean(0)), atol=1e-6)


def test_rows_and_those_of_parts_come_in_the_order_given_though_batches_are_sorted_by_length() -> None:
    texts = ["字" * (1 + i * 7 % 50) + str(i) for i in range(120)]
    parts = [[(n, n + 1) for n in range(i % 4)] for i in range(120)]
    network = Network()
    encoder = encoder_of(network)
    rows, part_rows = encoder.encode_parts(texts, parts)
    assert rows.shape == (120, WIDTH)
    assert part_rows.shape == (sum(map(len, parts)), WIDTH)
    lengths = [shape[1] for shape in network.shapes]
    assert lengths == sorted(lengths, reverse=True)
    assert len(lengths) > 1
    at = 0
    for text, own, row in zip(texts, parts, rows, strict=True):
        alone, own_rows = encoder.encode_parts([text], [own])
        np.testing.assert_allclose(row, alone[0], atol=1e-6)
        np.testing.assert_allclose(part_rows[at : at + len(own)], own_rows, atol=1e-6)
        at += len(own)


def test_a_batch_holds_no_more_tokens_than_it_may_and_never_less_than_a_text() -> None:
    network = Network()
    encoder_of(network, most=4 * BATCH_TOKENS).encode_passages(["字" * n for n in (3000, 700, 650, 100, 90, 5, 3, 1)])
    assert all(shape[0] == 1 or shape[0] * shape[1] <= BATCH_TOKENS + shape[0] * TOKEN_STEP for shape in network.shapes)
    assert network.shapes[0][0] == 1
    assert sum(shape[0] for shape in network.shapes) == 8
    assert all(shape[1] % TOKEN_STEP == 0 for shape in network.shapes)


def test_a_part_behind_the_limit_gets_its_texts_vector_and_one_across_it_what_was_read() -> None:
    text = "前面的话。" * 4 + "后面的话。" * 20
    limit = len(PASSAGE_PROMPT) + 20 + 2
    encoder = encoder_of(Network(), most=limit)
    rows, parts = encoder.encode_parts([text], [[(0, 5), (10, 40), (40, 60)]])
    np.testing.assert_allclose(parts[2], rows[0], atol=1e-6)
    _, cut = encoder.encode_parts([text], [[(10, 20)]])
    np.testing.assert_allclose(parts[1], cut[0], atol=1e-6)
    assert not np.allclose(parts[0], rows[0])


def test_a_part_without_characters_gets_its_texts_vector() -> None:
    rows, parts = encoder_of(Network()).encode_parts(["云市场"], [[(1, 1)]])
    np.testing.assert_allclose(parts, rows, atol=1e-6)


def test_half_a_surrogate_pair_is_encoded_as_a_question_mark_and_moves_no_part() -> None:
    encoder = encoder_of(Network())
    for half, mark in zip(
        encoder.encode_parts(["价\ud83d格"], [[(2, 3)]]), encoder.encode_parts(["价?格"], [[(2, 3)]]), strict=True
    ):
        np.testing.assert_array_equal(half, mark)
    np.testing.assert_array_equal(encoder.encode_query("价\ud83d格"), encoder.encode_query("价?格"))


def test_nothing_to_encode_is_an_empty_table() -> None:
    rows, parts = encoder_of(Network()).encode_parts([], [])
    assert (rows.shape, parts.shape) == ((0, WIDTH), (0, WIDTH))


# --- queries ----------------------------------------------------------------------------------------------------------


def test_a_query_is_the_mean_of_its_tokens_behind_the_prompt_for_queries() -> None:
    network = Network()
    row = encoder_of(network).encode_query("云?")
    ids = CharacterTokenizer().encode(QUERY_PROMPT + "云?").ids
    np.testing.assert_allclose(
        row, unit(network(np.array([ids]), np.ones((1, len(ids)), np.float32))[0].mean(0)), atol=1e-6
    )


def test_a_query_asked_again_is_the_same_object_and_nobody_can_write_on_it() -> None:
    network = Network()
    encoder = encoder_of(network)
    row = encoder.encode_query("云?")
    assert encoder.encode_query("云?") is row
    assert len(network.shapes) == 1
    with pytest.raises(ValueError, match="read-only"):
        row[0] = 1.0


def test_only_the_last_queries_are_remembered() -> None:
    network = Network()
    encoder = encoder_of(network)
    for n in range(REMEMBERED + 1):
        encoder.encode_query(str(n))
    encoder.encode_query("0")  # the oldest: forgotten
    assert len(network.shapes) == REMEMBERED + 2


def asked_at_once(encoder: Encoder, queries: Sequence[str]) -> list["np.ndarray | Exception"]:
    """What each of them was answered, or raised; all ask together, and none waits for long."""
    start = threading.Barrier(len(queries))

    def ask(query: str) -> "np.ndarray | Exception":
        start.wait(10)
        try:
            return encoder.encode_query(query)
        except Exception as e:
            return e

    with ThreadPoolExecutor(len(queries)) as pool:
        return [f.result(60) for f in [pool.submit(ask, q) for q in queries]]


def test_queries_that_wait_run_together_and_each_gets_its_own_vector() -> None:
    network = Network(takes_s=0.03)
    queries = [f"第{n}问" * (1 + n % 3) for n in range(AT_ONCE)]
    rows = asked_at_once(encoder_of(network), queries)
    assert len(network.shapes) < AT_ONCE
    assert max(shape[0] for shape in network.shapes) > 1
    alone = encoder_of(Network())
    for query, row in zip(queries, rows, strict=True):
        np.testing.assert_array_equal(row, alone.encode_query(query))


@pytest.mark.parametrize("failures", [1, 2, 3])
def test_when_a_batch_fails_every_other_query_still_gets_its_vector(failures: int) -> None:
    network = Network(takes_s=0.03)
    network.fails = failures
    queries = [f"第{n}问" for n in range(AT_ONCE)]
    rows = asked_at_once(encoder_of(network), queries)
    raised = [row for row in rows if isinstance(row, Exception)]
    assert 1 <= len(raised) <= failures  # a failure reaches the one who ran the batch, the others try again
    alone = encoder_of(Network())
    for query, row in zip(queries, rows, strict=True):
        if not isinstance(row, Exception):
            np.testing.assert_array_equal(row, alone.encode_query(query))


def test_when_every_batch_fails_every_query_is_told() -> None:
    network = Network(takes_s=0.005)
    network.fails = 1000
    rows = asked_at_once(encoder_of(network), [f"第{n}问" for n in range(AT_ONCE)])
    assert all(isinstance(row, MemoryError) for row in rows)


def test_a_query_that_failed_is_not_remembered_and_works_the_next_time() -> None:
    network = Network()
    encoder = encoder_of(network)
    network.fails = 1
    with pytest.raises(MemoryError):
        encoder.encode_query("云?")
    np.testing.assert_array_equal(encoder.encode_query("云?"), encoder_of(Network()).encode_query("云?"))


def test_a_failed_rebuild_does_not_lock_the_queries_out() -> None:
    network = Network()
    encoder = encoder_of(network)
    network.fails = 1
    with pytest.raises(MemoryError):
        encoder.encode_passages(["云"])
    assert encoder.encode_query("云?").shape == (WIDTH,)


# --- the real network -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def exactly() -> E5Encoder:
    """In float32, by torch."""
    from index.e5_torch import torch_states

    file = shipped_file()
    states = torch_states(file)
    return E5Encoder(file, shipped_tokenizer(), states, name="t", fingerprint="t", precision="float32")


SOME = [*SIMPLIFIED[:5], *TRADITIONAL[:3], *ENGLISH[:4]]
HALVES = [[(0, len(text) // 2), (len(text) // 2, len(text))] for text in SOME]


@pytest.mark.slow
def test_as_it_ships_vectors_are_close_to_those_of_float32(encoder: Encoder, exactly: E5Encoder) -> None:
    ours, theirs = encoder.encode_parts(SOME, HALVES), exactly.encode_parts(SOME, HALVES)
    assert np.sum(ours[0] * theirs[0], axis=1).min() >= 0.998
    assert np.sum(ours[1] * theirs[1], axis=1).min() >= 0.99  # fewer tokens: less evens out
    for text in SOME:
        assert encoder.encode_query(text) @ exactly.encode_query(text) >= 0.998


@pytest.mark.slow
def test_a_long_texts_last_sentences_have_its_vector(encoder: Encoder) -> None:
    text = (LONG * 10)[:3000]
    rows, parts = encoder.encode_parts([text], [[(0, 20), (2980, 3000)]])
    np.testing.assert_allclose(parts[1], rows[0], atol=1e-6)
    assert parts[0] @ rows[0] < 0.999
    assert len(shipped_tokenizer().encode(text).ids) == MAX_TOKENS


@pytest.mark.slow
def test_queries_asked_at_once_get_the_same_bytes_as_alone(encoder: Encoder) -> None:
    assert isinstance(encoder, E5Encoder)
    queries = [f"{text[:24]}?" for text in TEXTS[:AT_ONCE]]
    alone = [encoder._query(q).tobytes() for q in queries]
    for _ in range(3):
        together = asked_at_once(fresh(encoder), queries)
        assert [row.tobytes() for row in together if isinstance(row, np.ndarray)] == alone


def fresh(encoder: E5Encoder) -> E5Encoder:
    """The same network with nothing remembered."""
    return E5Encoder(
        shipped_file(), shipped_tokenizer(), encoder._states, name="e", fingerprint="e", precision=encoder.precision
    )
