"""Members that may not be combined: one line each, and nothing is left behind."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from digits_runs import recipe_of

import zoo
from zoo.errors import PredictionsError, ZooWarning
from zoo.plugins.catalog import catalog
from zoo.predictions.archive import TrainedOn
from zoo.predictions.file import load_predictions
from zoo.runs import ensemble_overlap, opening
from zoo.runs.predict import trained_on
from zoo.runs.subjects import open_subject


def changed(path, **changes):
    """The predictions file ``path``, with changes."""
    dataclasses.replace(load_predictions(path), **changes).save(path)
    return path


class TestWhatIsRefused:
    """In one line, and no folder is left."""

    def refused(self, members, here, **more):
        with pytest.raises(zoo.ZooError) as caught:
            zoo.ensemble(members, **more)
        assert not list((here / "ensembles").glob("*"))
        assert "\n" not in str(caught.value)
        return str(caught.value)

    def test_no_predictions_on_val(self, files, here):
        assert self.refused([test for _, test in files], here) == (
            "member 'a' has no predictions on 'val', only on 'test'; give the file of 'val' too, "
            "as zoo eval --split val writes it"
        )

    def test_predictions_of_other_samples(self, files, here):
        said = load_predictions(files[1][1])
        changed(files[1][1], ids=np.array([f"x{one}" for one in said.ids]))
        given = [path for pair in files for path in pair]
        assert self.refused(given, here) == (
            "'a' and 'b' are of different samples: 359 and 359, of which 0 have the same id"
        )

    def test_predictions_on_test_that_are_passed_for_those_on_val(self, files, here):
        for val, test in files:
            replaced = dataclasses.replace(load_predictions(test), split="val", trained_on=None)
            replaced.save(val)
            changed(test, trained_on=None)
        given = [path for pair in files for path in pair]
        with pytest.warns(ZooWarning, match="does not say what it was trained on"):
            assert self.refused(given, here) == (
                "'val' and 'test' of 'digits' hold the very same samples: what is chosen on the "
                "one cannot be measured on the other"
            )

    def test_ids_that_are_missing(self, files, here):
        said = load_predictions(files[1][1])
        changed(files[1][1], ids=np.where(np.arange(359) < 3, "", said.ids))
        given = [path for pair in files for path in pair]
        assert self.refused(given, here) == (
            f"predictions {str(files[1][1])!r} cannot be used: ids: 3 of 359 are missing"
        )

    def test_classes_that_differ(self, files, here):
        task = load_predictions(files[1][1]).task
        other = dataclasses.replace(task, classes=tuple("abcdefghij"))
        for path in files[1]:
            changed(path, task=other)
        given = [path for pair in files for path in pair]
        message = self.refused(given, here)
        assert message.startswith("'a' and 'b' have different classes: ")

    def test_probabilities_that_do_not_sum_to_one(self, files, here):
        said = load_predictions(files[0][1])
        changed(files[0][1], probabilities=said.probabilities * np.float32(0.5))
        given = [path for pair in files for path in pair]
        assert self.refused(given, here).startswith(
            f"predictions {str(files[0][1])!r} cannot be used: probabilities of "
        )

    def test_an_empty_split(self, files, here):
        for pair in files:
            said = load_predictions(pair[1])
            names = ("ids", "logits", "probabilities", "targets", "decisions")
            changed(pair[1], **{name: getattr(said, name)[:0] for name in names})
        given = [path for pair in files for path in pair]
        assert self.refused(given, here) == "'a': split 'test' of 'digits' is empty"

    def test_a_member_that_needs_a_missing_plugin(self, runs, here, monkeypatch):
        path = Path(runs[1]) / "recipe.toml"
        path.write_text(path.read_text().replace('"linear"', '"gone/net"'))
        assert "gone/net" in self.refused(runs, here)

    def test_a_member_that_is_not_there(self, here, runs):
        assert "runs/x" in self.refused(["runs/x", runs[0]], here)
        assert "'x.npz': no such file" in self.refused(["x.npz", runs[0]], here)

    def test_words_that_are_none(self, runs, here):
        assert self.refused(runs, here, method="stak").startswith("method 'stak' (did you mean")
        assert self.refused(runs, here, tta="flip").startswith("tta 'flip' (did you mean 'hflip'?)")
        assert self.refused(runs, here, metric="dice").startswith("metric 'dice'")

    def test_an_output_that_is_there(self, runs, here):
        (here / "there").mkdir()
        assert self.refused(runs, here, output="there") == (
            "output 'there' exists already; name a folder that does not"
        )
        assert list((here / "there").iterdir()) == []

    def test_predictions_on_train(self, files, here):
        changed(files[0][1], split="train")
        given = [path for pair in files for path in pair]
        assert self.refused(given, here) == (
            f"predictions {str(files[0][1])!r} are of 'train': nothing is chosen or reported there"
        )


class TestSeenSamples:
    """A member that was trained on what chooses or reports."""

    def retrained(self, path, **splits):
        said = load_predictions(path)
        trained = dataclasses.replace(
            said.trained_on, division="0" * 64, splits={**said.trained_on.splits, **splits}
        )
        return changed(path, trained_on=trained)

    def given(self, files):
        return [path for pair in files for path in pair]

    def test_trained_on_the_very_split(self, files, here):
        test = load_predictions(files[1][1]).fingerprint
        for path in files[1]:
            self.retrained(path, train=test)
        with pytest.raises(PredictionsError) as caught:
            zoo.ensemble(self.given(files))
        assert str(caught.value) == (
            "member 'b' was trained on the very samples of 'test': figures on 'test' would be too "
            "good; leave it out, or add --allow-overlap, which the record will say"
        )

    def test_chosen_on_the_reported_split(self, files, here):
        test = load_predictions(files[1][1]).fingerprint
        self.retrained(files[1][1], val=test)
        with pytest.raises(PredictionsError, match="'b' was chosen on the very samples of 'test'"):
            zoo.ensemble(self.given(files))

    def test_trained_on_val(self, files, here):
        val = load_predictions(files[1][0]).fingerprint
        for path in files[1]:
            self.retrained(path, train=val, val="another")
        with pytest.raises(PredictionsError, match="'b' was trained on the very samples of 'val'"):
            zoo.ensemble(self.given(files))

    def test_another_division_of_which_a_file_lists_no_ids(self, files, here):
        for path in files[1]:
            self.retrained(path, train="another", val="another still")
        with pytest.raises(PredictionsError) as caught:
            zoo.ensemble(self.given(files))
        assert str(caught.value).startswith(
            "member 'b' was trained by another division of 'digits', and whether on some of the "
            "samples of 'val' cannot be told: a predictions file does not list them; give the run"
        )

    def test_ids_of_a_run_with_another_division(self, runs, here):
        zoo.train(recipe_of(3, split={"seed": 5}), folder=here / "runs/d")
        with pytest.raises(PredictionsError) as caught:
            zoo.ensemble([runs[0], str(here / "runs/d")])
        message = str(caught.value)
        # Its own val and test are other samples: it has to be asked about the first one's.
        assert message.startswith("'a' and 'd' are of different samples")

    def test_a_fold_that_is_in_the_other_ones_train(self, here):
        """Both speak of the same test split; each was trained on what the other validates on."""
        for fold in range(2):
            split = {"folds": 3, "fold": fold}
            zoo.train(recipe_of(fold, split=split), folder=here / f"runs/fold{fold}")
        pair = [str(here / f"runs/fold{fold}") for fold in range(2)]
        with pytest.raises(zoo.ZooError, match="'fold0' and 'fold1' are of different samples"):
            zoo.ensemble(pair)

    def test_ids_tell_what_fingerprints_do_not(self, runs, here, monkeypatch):
        """A run whose train split was drawn anew, and overlaps with the val of the others."""
        zoo.train(recipe_of(3, split={"seed": 5}), folder=here / "runs/d")
        own = open_subject(str(here / "runs/d"))
        for split in ("val", "test"):
            zoo.evaluate(runs[0], split=split, draws=0)
        member = ensemble_overlap.Member("d", "runs/d", own)
        said = load_predictions(Path(runs[0]) / "predictions/test.npz")
        trained = trained_on(own.data)
        named = ensemble_overlap.Named("d", dataclasses.replace(said, trained_on=trained))
        with pytest.raises(PredictionsError) as caught:
            ensemble_overlap.check_unseen([member], {"test": [named]}, None, allow=False)
        opened = opening.open_dataset(catalog(), "digits", {}, None, own.trained_on.plan)
        shared = len(set(opened.splits["train"].ids) & set(said.ids.tolist()))
        assert 200 < shared < 359
        assert str(caught.value).startswith(
            f"member 'd' was trained on {shared} of the 359 samples of 'test': figures on 'test'"
        )

    def test_a_part_of_the_same_train_split_is_no_overlap(self, runs, here):
        zoo.train(recipe_of(3, split={"fraction": 0.5}), folder=here / "runs/half")
        made = zoo.ensemble([runs[0], str(here / "runs/half")])
        assert made.report["overlaps"] == []

    def test_with_the_override_it_is_told_and_recorded(self, files, here):
        test = load_predictions(files[1][1]).fingerprint
        self.retrained(files[1][1], train=test)
        with pytest.warns(ZooWarning) as heard:
            made = zoo.ensemble(self.given(files), allow_overlap=True)
        assert [str(one.message) for one in heard] == [
            "member 'b' was trained on the very samples of 'test': figures on 'test' may be too "
            "good"
        ]
        overlaps = [{"member": "b", "split": "test", "known": True,
                     "why": "was trained on the very samples of 'test'"}]  # fmt: skip
        assert made.report["overlaps"] == overlaps
        written = json.loads((made.folder / "ensemble.json").read_text())
        assert written["overlaps"] == overlaps

    def test_of_a_member_that_does_not_say_it_is_told(self, files, here):
        for path in files[1]:
            changed(path, trained_on=None)
        with pytest.warns(ZooWarning) as heard:
            made = zoo.ensemble(self.given(files))
        assert [str(one.message) for one in heard] == [
            f"member 'b' does not say what it was trained on: figures on '{split}' may be too good"
            for split in ("val", "test")
        ]
        assert [one["known"] for one in made.report["overlaps"]] == [False, False]

    def test_another_dataset_is_no_overlap(self, files, here):
        for path in files[1]:
            changed(path, trained_on=TrainedOn("other", "0" * 64, {"train": "x", "val": "y"}))
        assert zoo.ensemble(self.given(files)).report["overlaps"] == []
