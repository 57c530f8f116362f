"""Draws how far support can be trusted: docs/reliability.svg and docs/risk_coverage.svg.

    python -m bench.reader_figures NAME=RUN.jsonl:QUESTIONS.jsonl ...

RUN is what `yuntu run` wrote for QUESTIONS, which say `answerable`. The first curve is always the one on cmrc_train, of
questions left out of each fold (var/fit_reader/support.npz, written by bench.fit_reader).
"""

import argparse
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from bench.fit import read

mpl.rcParams |= {"svg.hashsalt": "yuntu", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}

FITTED = Path("var/fit_reader/support.npz")
DOCS = Path(__file__).parents[1] / "docs"
BINS = 10
Curve = tuple[str, np.ndarray, np.ndarray]


def curves(named: list[str]) -> list[Curve]:
    """(name, support, whether there is an answer) of each set."""
    found: list[Curve] = []
    if FITTED.exists():
        kept = np.load(FITTED)
        found.append(("cmrc_train, held out", kept["predicted"], kept["y"]))
    for argument in named:
        name, _, files = argument.partition("=")
        run, _, questions = files.partition(":")
        support = {r["id"]: float(r["support"]) for r in read(Path(run))}
        rows = [(support[q["id"]], bool(q["answerable"])) for q in read(Path(questions)) if q["id"] in support]
        found.append((name, np.array([s for s, _ in rows]), np.array([a for _, a in rows])))
    return found


def reliability(sets: list[Curve]) -> None:
    """Share of answerable questions among those of about one support."""
    figure = Figure(figsize=(4.6, 4.2))
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1, linestyle="--")
    for name, support, answerable in sets:
        bins = np.minimum((support * BINS).astype(int), BINS - 1)
        points = [
            (support[bins == b].mean(), answerable[bins == b].mean()) for b in range(BINS) if (bins == b).sum() > 9
        ]
        axes.plot(*zip(*points, strict=True), marker="o", markersize=3, label=f"{name} (n={len(support)})")
    axes.set(xlabel="support", ylabel="share answerable", xlim=(0, 1), ylim=(0, 1))
    axes.legend(frameon=False, fontsize=8)
    figure.savefig(DOCS / "reliability.svg", bbox_inches="tight", metadata={"Date": None})


def risk_coverage(sets: list[Curve]) -> None:
    """Share of questions without an answer among those not refused, as the threshold falls."""
    figure = Figure(figsize=(4.6, 4.2))
    axes = figure.subplots()
    for name, support, answerable in sets:
        order = np.argsort(-support, kind="stable")
        unanswerable = np.cumsum(~answerable[order].astype(bool))
        count = np.arange(1, len(order) + 1)
        axes.plot(count / len(order), unanswerable / count, label=f"{name} ({answerable.mean():.0%} answerable)")
    axes.set(xlabel="share of questions answered", ylabel="of these, without an answer", xlim=(0, 1), ylim=(0, None))
    axes.legend(frameon=False, fontsize=8)
    figure.savefig(DOCS / "risk_coverage.svg", bbox_inches="tight", metadata={"Date": None})


def main() -> None:
    """Draws both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", metavar="NAME=RUN:QUESTIONS")
    sets = curves(parser.parse_args().sets)
    if not sets:
        raise SystemExit(f"nothing to draw: {FITTED} is not there and no set was named")
    reliability(sets)
    risk_coverage(sets)


if __name__ == "__main__":
    main()
