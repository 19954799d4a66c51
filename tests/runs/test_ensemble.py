"""Runs, versions and predictions files as one: from what they say to the report."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import zoo
from zoo.errors import PredictionsError, RunError, ZooWarning
from zoo.predictions.file import load_predictions


class TestTheReport:
    @pytest.mark.parametrize("method", ["mean", "weighted", "vote", "greedy", "stack"])
    def test_of_runs_of_any_architecture_and_size(self, runs, here, method):
        made = zoo.ensemble(runs, method=method)
        assert made.folder == Path(f"ensembles/{method}-1")
        report = json.loads((made.folder / "report.json").read_text())
        assert [one["name"] for one in report["members"]] == ["a", "b", "c"]
        said = load_predictions(made.folder / "predictions/test.npz")
        assert (said.source, said.split, said.dataset) == (f"{method}-1", "test", "digits")
        accuracy = float((said.decisions == said.targets).mean())
        assert report["ensemble"]["test"] == pytest.approx(accuracy)
        assert report["figures"]["accuracy"] == pytest.approx(accuracy)
        best = next(one for one in report["members"] if one["name"] == report["best_member"])
        assert best["val"] == max(one["val"] for one in report["members"])
        gain = report["gain"]["figures"]["accuracy"]
        assert gain["value"] == pytest.approx(accuracy - best["test"])
        assert gain["low"] <= gain["value"] <= gain["high"]
        assert len(report["gain"]["per_class"]) == 10
        assert report["chosen_on"]["out_of_fold"] == (method in ("weighted", "greedy", "stack"))
        oracle = report["diversity"]["oracle"]
        assert oracle >= max(one["test"] for one in report["members"])

    def test_the_mean_is_that_of_the_members_files(self, files, here):
        made = zoo.ensemble([path for pair in files for path in pair])
        said = load_predictions(made.folder / "predictions/test.npz")
        members = [load_predictions(test).probabilities for _, test in files]
        assert np.allclose(said.probabilities, np.mean(members, axis=0), atol=1e-6)
        assert said.trained_on == load_predictions(files[0][0]).trained_on
        measured = zoo.evaluate(made.folder / "predictions/test.npz").metrics
        assert measured["accuracy"] == made.report["ensemble"]["test"]

    def test_versions_runs_and_files_together(self, runs, files, here):
        zoo.publish(runs[0], "first")
        made = zoo.ensemble(["first@1", runs[1], *files[2]])
        assert [one["name"] for one in made.report["members"]] == ["first@1", "b", "c"]
        again = zoo.ensemble(runs)
        same = [load_predictions(one.folder / "predictions/test.npz").logits
                for one in (made, again)]  # fmt: skip
        assert np.allclose(*same, atol=1e-6)

    def test_what_was_measured_is_not_measured_again(self, runs, files, here, monkeypatch):
        monkeypatch.setattr("zoo.runs.ensemble_members.evaluate", pytest.fail)
        zoo.ensemble(runs)

    def test_what_was_measured_of_other_weights_is(self, runs, files, here):
        shutil.copy(Path(runs[1]) / "best.safetensors",
                    Path(runs[0]) / "best.safetensors")  # fmt: skip
        with pytest.warns(ZooWarning, match="'a' and 'b' have the same weights"):
            made = zoo.ensemble(runs[:2])
        assert made.report["ensemble"]["test"] == made.report["members"][1]["test"]

    def test_equal_calls_give_equal_bytes(self, files, here):
        given = [path for pair in files for path in pair]
        for method in ("weighted", "greedy", "stack"):
            one = zoo.ensemble(given, method=method, output="x/same").folder
            texts = {path.relative_to(one): path.read_bytes()
                     for path in one.rglob("*") if path.is_file()}  # fmt: skip
            shutil.rmtree(one)
            other = zoo.ensemble(given, method=method, output="x/same").folder
            assert texts == {path.relative_to(other): path.read_bytes()
                             for path in other.rglob("*") if path.is_file()}  # fmt: skip
            shutil.rmtree(other)

    def test_on_val_alone_no_test_label_is_read(self, runs, here, monkeypatch):
        from zoo.runs import ensemble_members

        asked, real = [], ensemble_members.evaluate

        def counted(*given, **more):
            asked.append(more["split"])
            return real(*given, **more)

        monkeypatch.setattr(ensemble_members, "evaluate", counted)
        made = zoo.ensemble(runs, method="weighted", split="val")
        assert set(asked) == {"val"}
        assert made.report["split"] == "val"
        assert not (made.folder / "predictions/test.npz").exists()

    def test_copies_gain_nothing(self, runs, here):
        shutil.copytree(runs[0], here / "runs/again")
        with pytest.warns(ZooWarning, match="'a' and 'again' have the same weights"):
            made = zoo.ensemble([runs[0], str(here / "runs/again")])
        gain = made.report["gain"]["figures"]["accuracy"]
        assert (gain["value"], gain["shown"]) == (0, "no difference")
        assert gain["low"] < 0 < gain["high"]


class TestViews:
    def test_a_member_is_asked_about_views_and_compared_as_it_is(self, runs, here):
        made = zoo.ensemble(runs[:2], tta="hflip")
        rows = made.report["members"]
        assert all(set(one["views"]) == {"val", "test"} for one in rows)
        assert rows[0]["views"]["test"] != rows[0]["test"]
        said = load_predictions(made.folder / "views/a-test.npz")
        assert (said.decisions == said.targets).mean() == pytest.approx(rows[0]["views"]["test"])
        assert made.report["gain"]["over"] in ("a", "b")
        best = next(one for one in rows if one["name"] == made.report["best_member"])
        value = made.report["ensemble"]["test"] - best["test"]
        assert made.report["gain"]["figures"]["accuracy"]["value"] == pytest.approx(value)

    def test_the_run_keeps_what_it_says_by_itself(self, runs, here):
        zoo.evaluate(runs[0], draws=0)
        kept = Path(runs[0]) / "predictions/test.npz"
        before = kept.read_bytes()
        zoo.ensemble(runs[:2], tta="flips")
        assert kept.read_bytes() == before

    def test_one_member_may_be_asked_about_views(self, runs, here):
        assert zoo.ensemble(runs[:1], tta="hflip").report["samples"] == 359
        with pytest.raises(RunError) as caught:
            zoo.ensemble(runs[:1])
        assert str(caught.value) == ("an ensemble of 'a' alone: give two members or more, or --tta")

    def test_a_file_has_no_network_to_ask(self, files, here):
        with pytest.raises(PredictionsError) as caught:
            zoo.ensemble([path for pair in files for path in pair], tta="hflip")
        assert str(caught.value) == (
            "member 'a': --tta asks the network again, and a predictions file has none; give the "
            "run or the model"
        )
        assert not (here / "ensembles/mean-1").exists()
