"""Ensembles of a registry: put together from records that may be a stranger's."""

import numpy as np
import pytest
import torch
from drafts import fields

from zoo.errors import RegistryError
from zoo.registry import members as put_together
from zoo.registry.ensemble import RULE, Ensemble
from zoo.registry.model import Model
from zoo.registry.record import Draft
from zoo.storage import tensors
from zoo.tasks import Task

CPU = torch.device("cpu")


def member(registry, record):
    return {
        "model": record.model,
        "version": record.version,
        "digest": registry.digest(record),
    }


def combine(registry, *members, method="mean", files=None, model="both", **changes):
    """A version, as a stranger might write it: no gate was passed."""
    options = changes.pop("options", {})
    given = fields(
        model=model,
        ensemble={"method": method, "options": options, "members": list(members)},
        recipe={},
        **changes,
    )
    for key in ("preprocessing", "architecture", "plugin", "weights"):
        del given[key]
    return registry.publish(Draft.of(**given), {"README.md": b"# both", **(files or {})})


@pytest.fixture
def pair(published, registry):
    """Two networks with weights of their own."""
    found = []
    for seed in (1, 2):
        record, network = published(model=f"net-{seed}")
        found.append((record, network))
    return [member(registry, record) for record, _ in found], [one for _, one in found]


def load(registry, catalog, name="both"):
    record = registry.record(name)
    return put_together.load_ensemble(registry, record, CPU, catalog)


IMAGES = np.random.default_rng(0).integers(0, 256, (3, 4, 5), dtype=np.uint8)


def test_it_answers_as_the_mean_of_its_members(pair, registry, catalog):
    combine(registry, *pair[0])
    model = load(registry, catalog)
    assert isinstance(model, Ensemble) and isinstance(model, Model)
    assert repr(model) == "<zoo model both@1: multiclass>"
    assert model.digest == registry.digest(model.record)
    alone = [one.predict(list(IMAGES)).probabilities for one in model.members]
    said = model.predict(list(IMAGES))
    assert np.allclose(said.probabilities, np.mean(alone, axis=0), atol=1e-6)


def test_one_that_stands_twice_weighs_twice_and_is_built_once(pair, registry, catalog):
    first, second = pair[0]
    combine(registry, first, first, second)
    model = load(registry, catalog)
    assert model.members[0] is model.members[1]
    alone = [one.predict(list(IMAGES)).probabilities for one in model.members]
    assert np.allclose(
        model.predict(list(IMAGES)).probabilities, (2 * alone[0] + alone[2]) / 3, atol=1e-6
    )


def test_ensembles_of_ensembles(pair, registry, catalog):
    inner = combine(registry, *pair[0], model="inner")
    combine(registry, member(registry, inner), pair[0][0], method="vote")
    model = load(registry, catalog)
    assert model.predict(list(IMAGES)).probabilities.shape == (3, 3)
    moved = model.on(CPU)
    assert np.array_equal(
        moved.predict(list(IMAGES)).probabilities, model.predict(list(IMAGES)).probabilities
    )


def test_it_has_no_network_of_its_own(pair, registry, catalog):
    combine(registry, *pair[0])
    model = load(registry, catalog)
    with pytest.raises(RegistryError) as caught:
        model.network(torch.zeros(1, 1, 4, 5))
    assert str(caught.value) == (
        "model 'both' version 1 is an ensemble, and has no network of its own"
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"method": "magic"}, "method 'magic': expected one of mean, weighted, vote, greedy,"),
        ({"options": {"average": ["x"]}}, "average \"['x']\": expected one of probabilities,"),
        ({"method": "weighted"}, "weights None: expected 2 numbers from 0 to 1"),
        ({"method": "weighted", "options": {"weights": [1, 1]}}, "weights [1, 1]: expected"),
        ({"method": "stack"}, "coefficients of the regression: expected float64 (3, 6), not none"),
        ({"options": {"tta": "twirl"}}, "tta 'twirl': expected one of hflip, flips"),
        ({"options": {"tta": "rot90"}}, "tta 'rot90' turns images on their side, and this network "
         "takes 4x5; choose 'flips'"),
        ({"task": Task.multiclass(["cat", "dog", "cow"])},
         "its members have other classes than it says"),
    ],
)  # fmt: skip
def test_what_a_stranger_wrote_is_refused_in_one_line(pair, registry, catalog, given, message):
    metrics = {"test": {"accuracy": 0.5}}
    combine(registry, *pair[0], metrics=metrics, **given)
    with pytest.raises(RegistryError) as caught:
        load(registry, catalog)
    assert str(caught.value).startswith(f"model 'both' version 1: {message}")


def test_a_regression_of_another_shape_is_refused(pair, registry, catalog):
    arrays = {"coefficients": torch.zeros(3, 5, dtype=torch.float64),
              "intercepts": torch.zeros(3, dtype=torch.float64)}  # fmt: skip
    combine(registry, *pair[0], method="stack", files={RULE: tensors.to_bytes(arrays)})
    with pytest.raises(RegistryError, match=r"coefficients of the regression: expected float64"):
        load(registry, catalog)


def test_a_regression_answers(pair, registry, catalog):
    arrays = {"coefficients": torch.eye(3, 6, dtype=torch.float64),
              "intercepts": torch.zeros(3, dtype=torch.float64)}  # fmt: skip
    combine(registry, *pair[0], method="stack", files={RULE: tensors.to_bytes(arrays)})
    model = load(registry, catalog)
    first = model.members[0].predict(list(IMAGES)).probabilities
    # It takes the first member's word for it, where that is not certain beyond a millionth.
    assert np.allclose(model.predict(list(IMAGES)).probabilities, first, atol=1e-5)


def test_a_member_whose_record_is_another_is_refused(pair, registry, catalog):
    combine(registry, {**pair[0][0], "digest": "0" * 64})
    with pytest.raises(
        RegistryError, match="model 'net-1' has no version with the record sha256:0"
    ):
        load(registry, catalog)


def test_views_of_members(pair, registry, catalog):
    combine(registry, *pair[0], options={"tta": "hflip"})
    model = load(registry, catalog)
    plain = combine(registry, *pair[0], model="plain")
    alone = load(registry, catalog, "plain")
    assert plain.model == "plain"
    both = [alone.members[0].predict(list(one)).probabilities for one in
            (IMAGES, np.ascontiguousarray(IMAGES[:, :, ::-1]))]  # fmt: skip
    found = model.members[0].predict(list(IMAGES)).probabilities
    assert np.allclose(found, np.mean(both, axis=0), atol=1e-6)
