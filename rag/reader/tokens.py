"""(question, heading, window) → token ids in the form the reader was trained on, with each token's characters."""

from typing import TYPE_CHECKING

from index.embedded_e5 import PASSAGE_PROMPT, QUERY_PROMPT, E5File, without_surrogates
from index.fold import to_simplified

if TYPE_CHECKING:
    from tokenizers import Tokenizer

QUESTION_TOKENS = 96  # a longer question is cut: the window has to fit behind it
MAX_TOKENS = 400


class PairTokenizer:
    """`<s> query: question </s> </s> passage: heading window </s>`."""

    def __init__(self, file: E5File, tokenizer: "Tokenizer") -> None:
        """`tokenizer`: the encoder's own; one text at a time it pads nothing, and it reads more than MAX_TOKENS."""
        self._tokenizer = tokenizer
        self._bos, self._eos = file.bos, file.eos

    def pair(self, question: str, heading: str, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Token ids, and for each the characters of `text` it stands for: (0, 0) outside of it."""
        asked = self._tokenizer.encode(QUERY_PROMPT + to_simplified(question), add_special_tokens=False)
        front = f"{PASSAGE_PROMPT}{heading}\n" if heading else PASSAGE_PROMPT
        read = self._tokenizer.encode(front + without_surrogates(text), add_special_tokens=False)
        ids = [self._bos, *asked.ids[:QUESTION_TOKENS], self._eos, self._eos]
        room = MAX_TOKENS - len(ids) - 1
        spans = [(0, 0)] * len(ids)
        skip = len(front)
        spans += [(max(0, a - skip), b - skip) if b > skip else (0, 0) for a, b in read.offsets[:room]]
        return [*ids, *read.ids[:room], self._eos], [*spans, (0, 0)]
