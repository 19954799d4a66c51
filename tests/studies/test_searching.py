"""A search: what it draws, prunes and takes for best; and that a kill changes nothing of it."""

from __future__ import annotations

import json
import shutil

import inline
import pytest
from inline import Inline, weights_of, write_study

from zoo.errors import StudyError
from zoo.studies.carrying import DIVERGED, FAILED, Outcome
from zoo.studies.cells import shown_table
from zoo.studies.studying import study

TABLES = """
[[tables]]
name = "s"
kind = "search"
columns = [{ title = "Row", row = "name" }, { title = "Rate", value = "optimizer.lr" },
           { title = "Acc.", metric = "accuracy" }]
[tables.search]
trials = 7
metric = "val/accuracy"
warmup = 1
top = 2
[tables.search.space]
"optimizer.lr" = { low = 1e-5, high = 1e-1, log = true }
"training.batch_size" = [32, 64]
"training.epochs" = { low = 2, high = 3 }
"""


class KilledError(Exception):
    """Stands for what a SIGKILL does to the study: nothing of what follows is done."""


class Dies(Inline):
    """The study dies after so many messages."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.left = after

    def messages(self, timeout):
        if self.left <= 0 and self._thread is None:
            raise KilledError
        said = super().messages(timeout)
        self.left -= len(said)
        return said


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("search")
    path = write_study(folder, TABLES)
    return path, study(path, out=folder / "out", begin=lambda *_: Inline()).data


def test_the_best_trials_are_rows_measured_with_every_seed(whole):
    (table,) = whole[1]["tables"]
    trials = table["trials"]
    assert len(trials) == 7 and {one["status"] for one in trials} <= {"complete", "pruned"}
    complete = [one for one in trials if one["status"] == "complete"]
    best = max(complete, key=lambda one: (one["value"], -one["number"]))
    first, second = table["rows"]
    assert (first["name"], second["name"]) == ("best 1", "best 2")
    assert first["settings"] == best["settings"] and first["runs"][0]["key"] == best["key"]
    assert [run["status"] for run in first["runs"]] == ["done", "done"]
    assert [list(run["figures"]) for run in first["runs"]] == [["test/accuracy"]] * 2
    assert all(1e-5 <= one["settings"]["optimizer.lr"] <= 0.1 for one in trials)
    assert {one["settings"]["training.batch_size"] for one in trials} <= {32, 64}


def test_trials_that_lag_behind_are_given_up(whole):
    (table,) = whole[1]["tables"]
    pruned = [one for one in table["trials"] if one["status"] == "pruned"]
    assert pruned and all(one["epochs"] < one["settings"]["training.epochs"] for one in pruned)


def test_no_trial_is_measured_on_the_split_that_is_reported(whole):
    out = whole[0].parent / "out"
    rows = {run["key"] for row in whole[1]["tables"][0]["rows"] for run in row["runs"]}
    measured = {path.parent.parent.name for path in out.glob("runs/*/metrics/*.json")}
    assert measured == rows


@pytest.mark.parametrize("after", [25, pytest.param(60, marks=pytest.mark.slow)])
def test_a_killed_search_ends_with_the_same_trials(whole, tmp_path, after):
    import optuna

    out = tmp_path / "out"
    with pytest.raises(KilledError):
        study(whole[0], out=out, begin=lambda *_: Dies(after))
    backend = optuna.storages.journal.JournalFileBackend(str(out / "search/s.journal"))
    storage = optuna.storages.JournalStorage(backend)
    (known,) = storage.get_all_studies()
    held = optuna.load_study(storage=storage, study_name=known.study_name)
    held.ask()  # and one whose process left nothing but the journal's word that it runs
    assert [one.state.name for one in held.get_trials()].count("RUNNING") == 2
    study(whole[0], out=out, begin=lambda *_: Inline())
    assert "RUNNING" not in [one.state.name for one in held.get_trials()]
    data = json.loads((out / "results.json").read_text())
    assert data["tables"][0]["trials"] == whole[1]["tables"][0]["trials"]
    assert weights_of(out) == weights_of(whole[0].parent / "out")


def test_a_search_never_goes_by_train_or_test(tmp_path):
    text = TABLES.replace('metric = "val/accuracy"\n', "").replace(
        'kind = "search"\n', 'kind = "search"\nset = { "stopping.monitor" = "train/loss" }\n'
    )
    with pytest.raises(StudyError) as caught:
        study(write_study(tmp_path, text), out=tmp_path / "out", begin=lambda *_: Inline())
    assert str(caught.value) == (
        "table 's': the recipe monitors 'train/loss'; a search goes by val: give its metric, as "
        "'val/accuracy'"
    )


def test_trials_that_failed_are_tried_again_and_those_that_diverged_are_not(tmp_path, monkeypatch):
    path = write_study(tmp_path, TABLES)

    def ended(outcome):
        """(the table's search, the keys that were carried out), every run coming to ``outcome``."""
        carried: list[str] = []
        monkeypatch.setattr(inline, "carry_out", lambda work, tell: outcome)
        made = study(path, out=tmp_path / "out", begin=lambda *_: Inline(carried))
        return made.data["tables"][0], carried

    first, keys = ended(Outcome(FAILED, "no disk"))
    assert len(keys) == 7 and {one["reason"] for one in first["trials"]} == {"no disk"}
    assert "Trials of the search: 7 fail. One failed: no disk." in [
        text for _, text in shown_table(first).notes
    ]
    second, again = ended(Outcome(DIVERGED, "nan"))
    assert sorted(again) == sorted(keys)
    drawn = [[one["settings"] for one in table["trials"]] for table in (first, second)]
    assert drawn[0] == drawn[1] and [one["reason"] for one in second["trials"]] == ["nan"] * 7
    third, none = ended(Outcome(FAILED, "nobody is asked"))
    assert none == [] and third["trials"] == second["trials"]


def test_a_search_that_is_not_asked_for_keeps_its_rows(whole, tmp_path):
    own = tmp_path / whole[0].parent.name
    shutil.copytree(whole[0].parent, own)
    other = '[[tables]]\nname = "l"\nkind = "list"\n[[tables.rows]]\nname = "a"\n'
    path = write_study(own, other + TABLES)
    carried: list[str] = []
    made = study(path, out=own / "out", tables=("l",), seeds=[0, 1],
                 begin=lambda *_: Inline(carried), train=False)  # fmt: skip
    assert made.data["tables"][1]["rows"] == whole[1]["tables"][0]["rows"]


def test_a_damaged_journal_is_one_line(tmp_path):
    path = write_study(tmp_path, TABLES)
    journal = tmp_path / "out" / "search" / "s.journal"
    journal.parent.mkdir(parents=True)
    journal.write_text("{}\n{}\n")
    with pytest.raises(StudyError) as caught:
        study(path, out=tmp_path / "out", begin=lambda *_: Inline())
    assert str(caught.value) == (
        f"journal of a search {str(journal)!r} cannot be read: KeyError: 'op_code'; to search anew "
        f"remove it"
    )
