"""What is best, and when it is enough."""

from zoo.training.stopping import Stopping


def improvements(values, **settings):
    stopping = Stopping("val/loss", settings.pop("mode", "min"), **settings)
    found = [stopping.update(epoch, value) for epoch, value in enumerate(values, start=1)]
    return found, stopping


def test_min_and_max():
    assert improvements([3.0, 2.0, 2.5, 1.0])[0] == [True, True, False, True]
    assert improvements([0.1, 0.3, 0.2], mode="max")[0] == [True, True, False]


def test_min_delta_is_exceeded_strictly():
    assert improvements([1.0, 0.75, 0.5], min_delta=0.25)[0] == [True, False, True]


def test_nan_is_never_best_and_never_bars_a_later_value():
    found, stopping = improvements([float("nan"), 5.0, float("nan"), 4.0, None])
    assert found == [False, True, False, True, False]
    assert (stopping.best, stopping.best_epoch) == (4.0, 4)


def test_patience_counts_epochs_in_a_row():
    _, stopping = improvements([1.0, 2.0, 0.5, 2.0, 2.0], patience=2)
    assert stopping.exhausted
    _, stopping = improvements([1.0, 2.0, 0.5, 2.0], patience=2)
    assert not stopping.exhausted
    _, stopping = improvements([1.0] * 100, patience=0)
    assert not stopping.exhausted
