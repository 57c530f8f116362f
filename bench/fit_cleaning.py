"""Learns index/lexicon/line_weights.json: what furniture of a page looks like (`make fit-cleaning`).

Pages: bench/pages/ and tests/quality/pages/ but final/ (invented, every line labelled). The threshold is set on scores
of pages that were not learned from (cross-validation by page), so that KEPT of the lines of text stay.
"""

import json
from pathlib import Path

import numpy as np
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from index.furniture import own_rule
from index.line_model import Features, dot, first_features, second_features
from index.lines import TextLine, text_lines

ROOT = Path(__file__).parents[1]
PAGES = (*(ROOT / "bench" / "pages").rglob("*.txt"), *(ROOT / "tests" / "quality" / "pages").rglob("*.txt"))
HELD_BACK = "final"  # the folder of pages that nothing is learned from
TARGET = ROOT / "index" / "lexicon" / "line_weights.json"
KEPT = 0.99  # share of the lines of text that must stay, over pages not learned from
FOLDS = 6
FIRST_C, SECOND_C = 1.0, 0.3
SMALLEST = 0.05  # weights of character pairs below this are left out


def read(path: Path) -> tuple[list[TextLine], list[int]]:
    """The lines of a labelled page and their labels: 1 furniture, 0 text, -1 either."""
    said = [line for line in path.read_text(encoding="utf-8").splitlines() if line[2:].strip()]
    lines = [line for line in text_lines("\n".join(line[2:] for line in said)) if line.folded]
    labels = [{"=": 0, "x": 1}.get(line[0], -1) for line in said]
    assert len(lines) == len(labels), path
    return lines, labels


def fitted(rows: list[Features], labels: np.ndarray, strength: float) -> dict[str, float]:
    """A logistic regression as weights by name."""
    known = np.flatnonzero(labels >= 0)
    vectorizer = DictVectorizer()
    data = vectorizer.fit_transform([rows[n] for n in known])
    model = LogisticRegression(C=strength, max_iter=3000, fit_intercept=False).fit(data, labels[known])
    return dict(zip(vectorizer.get_feature_names_out(), map(float, model.coef_[0]), strict=True))


def main() -> None:
    """Fits both models, sets the threshold on held-out scores, and writes the weights."""
    pages = [read(p) for p in sorted(PAGES) if HELD_BACK not in p.parts]
    shapes = [first_features(lines, [own_rule(line.folded) for line in lines]) for lines, _ in pages]
    labels = np.array([label for _, own in pages for label in own])
    group = np.array([n for n, (_, own) in enumerate(pages) for _ in own])
    rows = [row for page in shapes for row in page]

    def second_rows(scores: np.ndarray) -> list[Features]:
        return [f for n in range(len(pages)) for f in second_features(scores[group == n], shapes[n])]

    def held_out_first(chosen: np.ndarray) -> np.ndarray:
        scores = np.zeros(len(rows))
        for learn, test in GroupKFold(FOLDS).split(chosen, groups=group[chosen]):
            model = fitted([rows[n] for n in chosen[learn]], labels[chosen[learn]], FIRST_C)
            scores[chosen[test]] = dot(model, [rows[n] for n in chosen[test]])
        return scores

    everything = np.arange(len(rows))
    final = np.zeros(len(rows))
    for learn, test in GroupKFold(FOLDS).split(everything, groups=group):
        first = held_out_first(learn)
        first[test] = dot(fitted([rows[n] for n in learn], labels[learn], FIRST_C), [rows[n] for n in test])
        second = second_rows(first)
        model = fitted([second[n] for n in learn], labels[learn], SECOND_C)
        final[test] = dot(model, [second[n] for n in test])
    threshold = float(np.quantile(final[labels == 0], KEPT))
    found = float((final[labels == 1] > threshold).mean())
    print(f"{len(pages)} pages, {(labels == 1).sum()} lines of furniture, {(labels == 0).sum()} of text")
    print(f"held out: {found:.3f} of the furniture found where {KEPT} of the text stays (threshold {threshold:.2f})")

    first_model = fitted(rows, labels, FIRST_C)
    second_model = fitted(second_rows(held_out_first(everything)), labels, SECOND_C)
    first_model = {k: v for k, v in first_model.items() if not k.startswith("g:") or abs(v) >= SMALLEST}
    how = (
        f"bench/fit_cleaning.py on {len(pages)} labelled pages; held out: furniture found {found:.3f}, text kept {KEPT}"
    )
    content = {
        "how": how,
        "threshold": round(threshold, 3),
        "second": {k: round(v, 3) for k, v in sorted(second_model.items())},
        "first": {k: round(v, 3) for k, v in sorted(first_model.items())},
    }
    TARGET.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{TARGET}: {TARGET.stat().st_size / 1000:.0f} kB, {len(first_model)} weights")


if __name__ == "__main__":
    main()
