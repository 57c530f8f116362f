"""A corpus of three small documents, and rebuilding it with a fake encoder that remembers what it was given."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from index.build import Rebuilt, rebuild
from index.settings import Settings
from tests.fakes import FakeEncoder

TEXTS = {
    "cloud.md": """---
title: 云
published: 2025-07
---
二〇二五年上半年，这个市场继续增长，调用量翻了一番。

几家厂商的份额变化不大，后来者仍在追赶，价格一降再降。

阿里云居第一，火山引擎居第二，百度智能云居第三，其余各家合计不到三成。
""",
    "image.txt": """商家用文生图工具制作商品主图，单张成本从几十元降到几毛钱。
模特图仍要人工修改，退货率下降了4.2个百分点。
""",
    "hant.txt": "這家機構並未揭露二〇二六年的預測數字，統計口徑不同，結論也會不同。\n",
}


class CountingEncoder(FakeEncoder):
    """Remembers every passage text it encoded."""

    def __init__(self) -> None:
        self.encoded: list[str] = []

    def encode_passages(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        self.encoded += texts
        return super().encode_passages(texts)


def write_corpus(folder: Path, texts: Mapping[str, str] = TEXTS) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def small_settings(root: Path, **values: Any) -> Settings:
    return Settings(index=root, encoder="fake", max_chars=60, **values)


def build(corpus: Path, root: Path, encoder: FakeEncoder | None = None, **options: Any) -> Rebuilt:
    """Rebuilds; needs the fixture `fake_encoder`."""
    keep = {"keep_versions": options.pop("keep_versions")} if "keep_versions" in options else {}
    return rebuild([corpus], small_settings(root, **keep), lambda: encoder or FakeEncoder(), **options)
