"""The shipped weights belong to the features the code computes: another order would mislead in silence."""

import pytest

from rag.evidence import FEATURES, weights
from rag.support import SUPPORT_FEATURES


@pytest.mark.parametrize("model", ["same", "cross"])
def test_the_weights_were_fitted_on_these_features_in_this_order(model: str) -> None:
    fitted = weights()[model]
    assert list(fitted["sentence"]) == list(FEATURES)
    assert fitted["support"]["features"] == list(SUPPORT_FEATURES)
    for part in ("weights", "mean", "scale"):
        assert len(fitted["support"][part]) == len(SUPPORT_FEATURES)
    assert 0 < fitted["support"]["threshold"] < 1
