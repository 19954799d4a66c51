"""Which runs a study has: the kinds of tables, what is laid over what, and the keys of runs."""

from __future__ import annotations

from inline import write_study

from zoo.recipes.flags import Override
from zoo.studies.expanding import Asked, expand
from zoo.studies.keys import run_key
from zoo.studies.planning import chosen
from zoo.studies.reading import read_study
from zoo.studies.values import value_at

VARY = """
[tables.vary]
"optimizer.lr" = [0.001, 0.01]
training.batch_size = [32, 64]
[tables.labels]
"optimizer.lr" = "rate"
"""


def tables_of(tmp_path, text, **asked):
    return expand(read_study(write_study(tmp_path, text)), Asked(**asked))


def rows_of(table, *keys):
    return [(row.name, *(value_at(row.recipe, key) for key in keys)) for row in table.rows]


def test_one_at_a_time_leaves_all_else_as_it_was(tmp_path):
    text = f'[[tables]]\nname = "t"\nkind = "one_at_a_time"\n{VARY}'
    (table,) = tables_of(tmp_path, text)
    assert rows_of(table, "optimizer.lr", "training.batch_size") == [
        ("rate=0.001", 0.001, 64),
        ("rate=0.01", 0.01, 64),
        ("training.batch_size=32", 0.001, 32),
        ("training.batch_size=64", 0.001, 64),
    ]
    assert (table.rows[0].varied, table.rows[0].value) == ("rate", 0.001)
    # The first row and the last have one recipe, so they share their runs.
    assert table.rows[0].jobs == table.rows[3].jobs
    assert [job.seed for job in table.rows[0].jobs] == [0, 1]
    assert len({job.key for row in table.rows for job in row.jobs}) == 6


def test_a_grid_has_every_combination(tmp_path):
    (table,) = tables_of(tmp_path, f'[[tables]]\nname = "t"\nkind = "grid"\n{VARY}')
    assert rows_of(table, "optimizer.lr", "training.batch_size") == [
        ("rate=0.001, training.batch_size=32", 0.001, 32),
        ("rate=0.001, training.batch_size=64", 0.001, 64),
        ("rate=0.01, training.batch_size=32", 0.01, 32),
        ("rate=0.01, training.batch_size=64", 0.01, 64),
    ]


LISTED = """
[[tables]]
name = "t"
kind = "KIND"
set = { "optimizer.name" = "sgd", "optimizer.momentum" = 0.5 }
[[tables.rows]]
name = "first"
set = { "optimizer.lr" = 0.5, "scheduler.name" = "cosine", "scheduler.warmup_epochs" = 0.5 }
[[tables.rows]]
name = "second"
set = { "optimizer.name" = "adamw" }
[[tables.rows]]
name = "third"
set = { "scheduler.name" = "step" }
"""


def test_a_list_begins_anew_with_each_row(tmp_path):
    (table,) = tables_of(tmp_path, LISTED.replace("KIND", "list"))
    keys = ("optimizer.name", "optimizer.momentum", "scheduler.name", "scheduler.warmup_epochs")
    assert rows_of(table, *keys) == [
        ("first", "sgd", 0.5, "cosine", 0.5),
        ("second", "adamw", None, "none", None),  # another component drops the options
        ("third", "sgd", 0.5, "step", 0.0),
    ]


def test_a_cumulative_row_adds_to_those_before(tmp_path):
    (table,) = tables_of(tmp_path, LISTED.replace("KIND", "cumulative"))
    keys = ("optimizer.name", "optimizer.lr", "scheduler.name", "scheduler.warmup_epochs")
    assert rows_of(table, *keys) == [
        ("first", "sgd", 0.5, "cosine", 0.5),
        ("second", "adamw", 0.001, "cosine", 0.5),  # its own default: 0.5 was said of sgd
        ("third", "adamw", 0.001, "step", 0.0),
    ]
    assert table.rows[2].settings["optimizer.name"] == "adamw"


def test_folds_and_seeds_and_what_goes_over_what(tmp_path):
    text = LISTED.replace("KIND", 'list"\nfolds = 2\nseeds = [7] #') + (
        '[profiles.smoke]\nseeds = [3, 4]\nsplit = "val"\n'
        'set = { "optimizer.lr" = 0.25 }\n'
        'tables.t.rows.second = { "training.epochs" = 5 }\n'
    )
    (table,) = tables_of(tmp_path, text)
    assert [(j.seed, j.fold) for j in table.rows[0].jobs] == [(7, 0), (7, 1)]
    recipe = table.rows[0].jobs[1].recipe
    assert (recipe["split"]["folds"], recipe["split"]["fold"]) == (2, 1)
    (table,) = tables_of(tmp_path, text.replace("folds = 2", 'split = "train"\nfolds = 2'),
                         profile="smoke")  # fmt: skip
    assert table.split == "val"
    assert [(j.seed, j.fold) for j in table.rows[0].jobs] == [(3, 0), (3, 1), (4, 0), (4, 1)]
    assert rows_of(table, "optimizer.lr", "training.epochs") == [
        ("first", 0.25, 1), ("second", 0.25, 5), ("third", 0.25, 1),
    ]  # fmt: skip
    over = (Override("training.epochs", 9, "--set training.epochs=9"),)
    (table,) = tables_of(tmp_path, text, profile="smoke", over=over, seeds=(1,))
    assert rows_of(table, "training.epochs") == [("first", 9), ("second", 9), ("third", 9)]
    assert [j.seed for j in table.rows[0].jobs] == [1, 1]


def test_what_is_asked_for_is_chosen_and_the_rest_stays(tmp_path):
    text = LISTED.replace("KIND", "list") + LISTED.replace("KIND", "list").replace('"t"', '"u"')
    asked = {"tables": ("u",), "rows": ("first", "third")}
    every = tables_of(tmp_path, text, **asked)
    assert [len(table.rows) for table in every] == [3, 3]
    (table,) = chosen(every, Asked(**asked))
    assert (table.name, [row.name for row in table.rows]) == ("u", ["first", "third"])


def test_an_ensemble_has_the_runs_of_the_rows_it_names(tmp_path):
    text = LISTED.replace("KIND", "list") + (
        '[[tables.rows]]\nname = "two"\nensemble = { rows = ["first", "second", "t/first"] }\n'
    )
    (table,) = tables_of(tmp_path, text)
    row = table.rows[-1]
    assert row.jobs == () and row.recipe is None
    assert row.members == (*table.rows[0].jobs, *table.rows[1].jobs)


def test_a_key_is_of_what_decides_the_weights_alone(tmp_path):
    (table,) = tables_of(tmp_path, LISTED.replace("KIND", "list"))
    recipe = table.rows[0].jobs[0].recipe
    key = run_key(recipe)
    beside = {
        "card": {"licence": "mit"}, "trackers": [{"name": "x"}],
        "checkpoints": {"steps": 9, "keep": 3}, "data": {**recipe["data"], "workers": 9},
    }  # fmt: skip
    assert run_key({**recipe, **beside}) == key
    for section, name, value in (
        ("training", "seed", 5), ("training", "threads", 2), ("split", "fold", 1),
        ("optimizer", "lr", 0.1), ("dataset", "root", "elsewhere"), ("data", "size", 32),
    ):  # fmt: skip
        assert run_key({**recipe, section: {**recipe[section], name: value}}) != key
    assert len(key) == 16
