"""How long a rebuild takes with each engine, one after the other, and whether they make the same version.

    python -m bench.engines [--data ../shared/data] [--texts 14300] [--workers 2] [--rounds 1]

The texts are those of bench/scale.py: about 80 characters, no two alike; ten to a document, 1.4 passages each. Every
rebuild runs in a process of its own and is a full one; what starting and ending Ray takes counts.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from bench.scale import DATA, texts

WORK = Path("var/bench/engines")
PER_DOCUMENT = 10


def main() -> None:
    """Writes the corpus, rebuilds, prints a line for each rebuild."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--texts", type=int, default=14_300)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=1)
    args = parser.parse_args()
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    corpus = WORK / "corpus.jsonl"
    written = texts(args.data, args.texts)
    with corpus.open("w", encoding="utf-8") as f:
        for at in range(0, len(written), PER_DOCUMENT):
            row = {"id": f"d{at:07}", "title": "", "text": "\n\n".join(written[at : at + PER_DOCUMENT])}
            f.write(json.dumps(row, ensure_ascii=False) + "\n")
    for number in range(args.rounds):
        for engine in ("local", "ray") if number % 2 == 0 else ("ray", "local"):
            root = WORK / f"{engine}-{number}"
            command = [sys.executable, "-m", "web.cli", "rebuild", "--full", "--corpus", str(corpus)]
            environ = {**os.environ, "YUNTU_RAY_WORKERS": str(args.workers), "YUNTU_MAX_CHARS": "100"}
            start = time.perf_counter()
            done = subprocess.run(
                [*command, "--index", str(root), "--engine", engine],
                env=environ,
                check=True,
                capture_output=True,
                text=True,
            )
            print(f"{engine} {time.perf_counter() - start:.1f} s: {done.stdout.strip()}", flush=True)


if __name__ == "__main__":
    main()
