"""The shipped weights belong to the features the code computes: another order would mislead in silence."""

import pytest

from rag.evidence import FEATURES, weights
from rag.reading import READ_FEATURES, SUPPORT_READ_FEATURES
from rag.support import SUPPORT_FEATURES


@pytest.mark.parametrize("model", ["same", "cross"])
def test_the_weights_were_fitted_on_these_features_in_this_order(model: str) -> None:
    fitted = weights()[model]
    assert list(fitted["sentence"]) == list(FEATURES)
    assert fitted["support"]["features"] == list(SUPPORT_FEATURES)
    for part in ("weights", "mean", "scale"):
        assert len(fitted["support"][part]) == len(SUPPORT_FEATURES)
    assert 0 < fitted["support"]["threshold"] < 1


def test_the_weights_that_go_with_the_reader_too() -> None:
    fitted = weights(read=True)["same"]
    assert list(fitted["sentence"]) == [*FEATURES, *READ_FEATURES]
    assert fitted["support"]["features"] == list(SUPPORT_READ_FEATURES)
    for part in ("weights", "mean", "scale"):
        assert len(fitted["support"][part]) == len(SUPPORT_READ_FEATURES)
    assert 0 < fitted["support"]["threshold"] < 1
    assert set(fitted["passage"]) == {"weight", "softness"}


def test_what_the_reader_says_counts_for_the_sentence_and_for_support() -> None:
    fitted = weights(read=True)["same"]
    assert fitted["sentence"]["answers"] > 0
    assert fitted["passage"]["weight"] > 0
    by_name = dict(zip(fitted["support"]["features"], fitted["support"]["weights"], strict=True))
    assert by_name["top_answers"] + by_name["best_answers"] > 0
