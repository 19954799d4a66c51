"""All folds of a recipe as one member: out of fold on val, and their mean on every other split."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from digits_runs import recipe_of

import zoo
from zoo.errors import PredictionsError, RunError
from zoo.predictions.file import load_predictions
from zoo.registry.config import open_registry
from zoo.runs.ensemble_publish import publish_ensemble

FOLDS = 3


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Three folds of a linear network, and of one that learns slower; not to be changed."""
    folder = tmp_path_factory.mktemp("folds")
    for name, rate in (("a", 0.01), ("b", 0.001)):
        for fold in range(FOLDS):
            changes = {"split": {"folds": FOLDS, "fold": fold},
                       "optimizer": {"name": "adam", "lr": rate}}  # fmt: skip
            zoo.train(recipe_of(0, **changes), folder=folder / f"{name}{fold}")
            for split in ("val", "test"):
                zoo.evaluate(folder / f"{name}{fold}", split=split, draws=0)
    return folder


@pytest.fixture
def folds(trained, here):
    shutil.copytree(trained, here / "runs")
    return [[f"runs/{name}{fold}" for fold in range(FOLDS)] for name in "ab"]


def said_by(run, split):
    return load_predictions(Path(run) / f"predictions/{split}.npz")


class TestTheReport:
    def test_each_sample_is_answered_by_the_fold_that_was_not_trained_on_it(self, folds, here):
        made = zoo.ensemble([*folds[0], *reversed(folds[1])], method="stack")
        assert [one["name"] for one in made.report["members"]] == ["a0 (3 folds)", "b2 (3 folds)"]
        assert [one["name"] for one in made.report["members"][1]["folds"]] == ["b0", "b1", "b2"]
        joined = load_predictions(made.folder / "folds/1/predictions/val.npz")
        rows = {one: place for place, one in enumerate(joined.ids.tolist())}
        assert len(rows) == len(joined) == 1438 == made.report["chosen_on"]["samples"]
        for run in folds[0]:
            said = said_by(run, "val")
            places = [rows[one] for one in said.ids.tolist()]
            assert (joined.logits[places] == said.logits).all()
            assert (joined.targets[places] == said.targets).all()

    def test_of_other_samples_they_say_their_mean(self, folds, here):
        made = zoo.ensemble([*folds[0], *folds[1]], method="mean")
        said = load_predictions(made.folder / "folds/2/predictions/test.npz")
        each = [said_by(run, "test").probabilities for run in folds[1]]
        assert np.allclose(said.probabilities, np.mean(each, axis=0), atol=1e-6)
        whole = load_predictions(made.folder / "predictions/test.npz")
        every = each + [said_by(run, "test").probabilities for run in folds[0]]
        assert np.allclose(whole.probabilities, np.mean(every, axis=0), atol=1e-6)

    def test_a_stack_is_fitted_to_all_samples_and_gains_on_test(self, folds, here):
        made = zoo.ensemble([*folds[0], *folds[1]], method="stack")
        accuracy = made.report["ensemble"]["test"]
        assert accuracy > 0.9
        assert made.report["gain"]["over"] == "a0 (3 folds)"
        assert made.report["chosen_on"]["out_of_fold"] is True

    def test_one_recipe_is_members_alone_no_longer(self, folds, here):
        with pytest.raises(RunError) as caught:
            zoo.ensemble(folds[0])
        assert str(caught.value) == (
            "an ensemble of 'a0 (3 folds)' alone: give two members or more, or --tta"
        )

    def test_one_fold_is_a_member_like_any_other(self, folds, here):
        made = zoo.ensemble([folds[0][1], folds[1][1]])
        assert [one["name"] for one in made.report["members"]] == ["a1", "b1"]

    def test_it_is_known_what_all_of_them_saw(self, folds, here):
        made = zoo.ensemble([*folds[0], *folds[1]])
        on_test = load_predictions(made.folder / "predictions/test.npz")
        joined = load_predictions(made.folder / "folds/1/predictions/val.npz")
        assert on_test.trained_on.splits == {"train": joined.fingerprint}
        # Asked about samples that some of them saw, they are refused; about test they are not.
        files = [str(made.folder / f"predictions/{split}.npz") for split in ("val", "test")]
        with pytest.warns(zoo.ZooWarning, match="does not say what it was trained on"):
            zoo.ensemble([*files, *_as_another(files, here)])


def _as_another(files, here):
    """The same with other weights, as it were."""
    found = []
    for path in files:
        said = load_predictions(Path(path))
        place = here / "other" / Path(path).name
        place.parent.mkdir(exist_ok=True)
        replace(said, source="other", source_digest="0" * 64).save(place)
        found.append(str(place))
    return found


class TestRefused:
    def test_missing_folds(self, folds, here):
        with pytest.raises(RunError) as caught:
            zoo.ensemble([*folds[0], *folds[1][:2]], method="stack")
        assert str(caught.value) == (
            "'b0' is one of 3 folds, of which 2 is not given; give all of them, or one alone"
        )
        assert not (here / "ensembles").exists()

    def test_a_fold_given_twice(self, folds, here):
        shutil.copytree(folds[0][1], here / "runs/copy")
        with (
            pytest.warns(zoo.ZooWarning, match="the same weights"),
            pytest.raises(RunError) as caught,
        ):
            zoo.ensemble([*folds[0], "runs/copy"])
        assert str(caught.value) == (
            "'a1' and 'copy' are of the same recipe and fold 1; give one of them"
        )

    def test_folds_beside_a_run_with_a_val_split_of_its_own(self, folds, here):
        zoo.train(recipe_of(1), folder="runs/c")
        with pytest.raises(PredictionsError, match="folds\\)' and 'c' are of different samples"):
            zoo.ensemble([*folds[0], "runs/c"])

    def test_val_splits_that_share_samples(self, folds, here):
        """As when a dataset has changed: fold 1's answers stand in fold 0's place too."""
        first, second = (Path(run) for run in folds[0][:2])
        info, other = (json.loads((run / "run.json").read_text()) for run in (first, second))
        (first / "run.json").write_text(json.dumps({**info, "data": other["data"]}))
        said, digest = said_by(second, "val"), said_by(first, "val").source_digest
        replace(said, source_digest=digest).save(first / "predictions/val.npz")
        with pytest.raises(PredictionsError) as caught:
            zoo.ensemble([*folds[0], *folds[1]])
        assert str(caught.value) == (
            f"member 'a0 (3 folds)': {len(said):,} samples are in the val split of several folds, "
            f"such as {min(said.ids.tolist())!r}; each may be in one"
        )

    def test_views(self, folds, here):
        with pytest.raises(PredictionsError) as caught:
            zoo.ensemble([*folds[0], *folds[1]], tta="hflip")
        assert str(caught.value) == (
            "tta 'hflip': member 'a0 (3 folds)' is several networks; leave --tta out, or give the "
            "run of one fold"
        )


class TestPublished:
    @pytest.mark.slow  # nine versions, each built again in a new process
    def test_as_an_ensemble_of_ensembles_that_says_the_same(self, folds, here):
        made = zoo.ensemble([*folds[0], *folds[1]], method="stack")
        record = publish_ensemble(made, "two")
        model = zoo.load("two@1")
        digits = zoo.evaluate("two@1", draws=0)
        assert digits.differs is None
        said, mine = (
            load_predictions(digits.path),
            load_predictions(made.folder / "predictions/test.npz"),
        )
        assert np.allclose(said.probabilities, mine.probabilities, atol=1e-6)
        assert len(model.members) == 2
        assert set(record.metrics) == {"test"}
        registry = open_registry(None)
        names = {f"two-member-{k}-fold-{fold}" for k in (1, 2) for fold in range(FOLDS)}
        assert set(registry.models()) == names | {
            "two", "two-member-1", "two-member-2",
        }  # fmt: skip
        assert set(record.data["splits"]) == {"train", "test"}
        # What some of its members were trained on is no val split of it.
        assert (
            zoo.evaluate("two@1", split="val", draws=0).differs == "'two@1' was trained without it"
        )
        publish_ensemble(made, "two")
        assert registry.newest("two") == 2
        assert registry.newest("two-member-1") == registry.newest("two-member-2-fold-1") == 1

    def test_on_val_alone_it_has_no_figures_and_nothing_is_published(self, folds, here):
        made = zoo.ensemble([*folds[0], *folds[1]], method="mean", split="val")
        with pytest.raises(RunError) as caught:
            publish_ensemble(made, "two")
        assert str(caught.value) == (
            "members of folds were trained on 'val', so a version needs figures on another split; "
            "add --split test"
        )
        assert not (here / "registry").exists()
