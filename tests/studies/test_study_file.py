"""The study file: what is taken, and what is said of everything else."""

from __future__ import annotations

import pytest
from inline import HEAD, write_study

from zoo.errors import StudyError
from zoo.recipes.flags import flag_overrides
from zoo.studies.expanding import Asked, expand
from zoo.studies.planning import planned, typed
from zoo.studies.reading import read_study
from zoo.studies.settings import flattened, value_text

TABLE = '[[tables]]\nname = "t"\nkind = "list"\n[[tables.rows]]\nname = "a"\n'


def problems(tmp_path, text, head=HEAD, **asked):
    path = write_study(tmp_path, text, head)
    with pytest.raises(StudyError) as caught:
        expand(read_study(path), Asked(**asked))
    return [line.replace(f"{path}", "FILE") for line in caught.value.problems]


def test_the_command_of_a_study_has_every_flag_that_was_typed(tmp_path):
    path = write_study(tmp_path, TABLE)
    over = flag_overrides(["training.epochs=1"], root="my data")
    plan = planned(path, "", tmp_path / "out", ["t"], ["a"], [0, 2], over)
    assert typed(plan) == (
        f"zoo study {path} --out {tmp_path / 'out'} --table t --row a --seeds 0,2 "
        "--root 'my data' --set training.epochs=1"
    )


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", ["FILE: tables: missing; expected one table or more, [[tables]]"]),
        (
            TABLE.replace("list", "lists"),
            ["FILE:22: tables.0.kind: 'lists': expected 'one_at_a_time' | 'grid' | 'list' | "
             "'cumulative' | 'search'"],
        ),
        (
            TABLE + "sett = 1\n",
            ["FILE:25: tables.0.rows.0.sett: unknown key (did you mean 'set'?); expected one of "
             "name, footnote, set, recipe, text, published, ensemble, predict"],
        ),
        (
            TABLE + 'set = { "optimizer.lrr" = 0.1 }\n',
            ["FILE:25: optimizer.lrr: unknown option (did you mean 'lr'?); expected one of lr, "
             "beta1, beta2, eps, weight_decay, amsgrad"],
        ),
        (
            TABLE + '[[tables.rows]]\nname = "b"\nset.training.epochs = 0\n',
            ["FILE:27: training.epochs: 0: expected int >= 1 (row t/b)"],
        ),
        (
            TABLE + '[[tables.rows]]\nname = "a"\n',
            ["FILE:25: tables.0.rows.1: row 'a' stands twice; each needs a name of its own"],
        ),
        (
            TABLE + TABLE.replace('"t"', '"T"'),
            ["FILE:26: tables.1.name: table 'T' stands twice; each needs a name of its own"],
        ),
        (
            TABLE.replace('kind = "list"', 'kind = "list"\nreference = "b"'),
            ["FILE:23: tables.0.reference: no row 'b'; there are 'a'"],
        ),
        (
            TABLE.replace('"list"', '"grid"'),
            ['FILE:20: tables.0.vary: missing; expected { "optimizer.lr" = [0.001, 0.01] }',
             "FILE:23: tables.0.rows: a table of kind 'grid' has no rows; only list and cumulative "
             "have"],
        ),
        (
            TABLE.replace('kind = "list"', 'kind = "list"\ncolumns = [{ title = "A" }, { title = '
                          '"B", metric = "acuracy" }, { title = "C", value = "optimizer.x" }]'),
            ["FILE:23: tables.0.columns.0: 0 of row, value, text, metric, run given; expected one",
             "FILE:23: tables.0.columns.1.metric: 'acuracy': expected a figure of zoo eval, as "
             "accuracy, averages/macro/f1, per_class/CLASS/recall or per_image/iou; or of an "
             "epoch, as train/accuracy or val/loss (did you mean 'accuracy'?)"],
        ),
        (
            TABLE.replace('kind = "list"', 'kind = "list"\ncolumns = [{ title = "C", value = '
                          '"optimizer.x" }]'),
            ["FILE:23: tables.0.columns.0.value: no recipe of the table says 'optimizer.x'"],
        ),
        (
            TABLE + 'ensemble = { rows = ["b"] }\n',
            ["FILE:25: tables.0.rows.0.ensemble.rows.0: no row 'b'; there are none"],
        ),
        (
            TABLE + "[profiles.smoke.tables.u]\nseeds = [1]\n",
            ["FILE:25: profiles.smoke.tables.u: no table 'u'; there are 't'"],
        ),
        (
            TABLE + 'seeds = [0]\n[[figures]]\nkind = "pie"\nname = "../x"\n',
            ["FILE:25: tables.0.rows.0.seeds: unknown key; expected one of name, footnote, set, "
             "recipe, text, published, ensemble, predict",
             "FILE:27: figures.0.kind: 'pie': expected 'curves' | 'train_val' | 'metric_against' | "
             "'bars' | 'learning_curve' | 'confusion' | 'masks' | 'resources'",
             "FILE:28: figures.0.name: '../x': expected a name of letters, digits, '-', '_' and "
             "'.', at most 64"],
        ),
    ],
)  # fmt: skip
def test_problems_are_told_all_at_once_with_their_line(tmp_path, text, lines):
    assert problems(tmp_path, text, profile="smoke" if "smoke" in text else "") == lines


def test_metrics_of_the_whole_study_are_checked(tmp_path):
    (line,) = problems(tmp_path, TABLE, HEAD.replace('["accuracy"]', '["accuracy", "acuracy"]'))
    assert line.startswith("FILE:5: metrics.1: 'acuracy': expected a figure of zoo eval, as ")


def test_what_is_asked_for_has_to_be_there(tmp_path):
    assert problems(tmp_path, TABLE, profile="lng") == [
        "no profile 'lng' (did you mean 'long'?); there are 'long'"
    ]
    assert problems(tmp_path, TABLE, tables=("u",)) == ["--table u: no table 'u'; there are 't'"]
    assert problems(tmp_path, TABLE, rows=("u",)) == ["--row u: no row 'u'; there are 'a'"]


def test_a_problem_of_the_recipe_itself_names_no_row(tmp_path):
    head = HEAD.replace("two_conv", "ten_conv")
    (line,) = problems(tmp_path, TABLE, head)
    assert line.startswith("FILE:14: architecture.variant: 'ten_conv': expected ")
    assert "(row" not in line


def test_a_study_without_a_recipe_is_refused_once(tmp_path):
    head = 'title = "x"\nmetrics = ["accuracy"]\n'
    assert problems(tmp_path, TABLE + '[[tables.rows]]\nname = "b"\n', head) == [
        'FILE: recipe: missing; expected a recipe: recipe = "recipe.toml", or [recipe] with what '
        "stands in one"
    ]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("row,a\nx,1\n", "FILE:23: tables.0.published.x: p.csv has a row 'x', which the table "
         "has not"),
        ("row,a\na,1,2\n", "p.csv:2: 3 cells; expected 2"),
        ("row\n", "p.csv:1: expected a head: the row's name, then columns, each once"),
        ("row,a\na,1\na,2\n", "p.csv:3: row 'a': expected a name, each once"),
    ],
)  # fmt: skip
def test_published_values_are_read_strictly(tmp_path, content, line):
    (tmp_path / "p.csv").write_text(content)
    text = TABLE.replace('kind = "list"', 'kind = "list"\npublished = "p.csv"')
    assert [one.replace(f"{tmp_path}/", "") for one in problems(tmp_path, text)] == [line]


def test_a_figure_names_a_table_and_rows_that_are_there(tmp_path):
    figure = '[[figures]]\nkind = "confusion"\nname = "f"\n'
    several = TABLE + TABLE.replace('"t"', '"u"')
    assert problems(tmp_path, several + figure) == [
        "FILE:30: figures.0.table: missing; there are several tables: expected one of t, u"
    ]
    assert problems(tmp_path, several + figure + 'table = "v"\n') == [
        "FILE:33: figures.0.table: no table 'v'; there are 't', 'u'"
    ]
    rows = 'rows = ["a", "b"]\npanels = [{ rows = ["c"] }]\n'
    assert problems(tmp_path, TABLE + figure + rows) == [
        "FILE:28: figures.0.rows.1: no row 'b'; there are 'a'",
        "FILE:29: figures.0.panels.0.rows: no row 'c'; there are 'a'",
    ]


@pytest.mark.parametrize(
    ("figure", "line"),
    [
        ('kind = "bars"', "FILE:25: figures.0.metric: missing; expected a figure, as "
         "'val/accuracy'"),
        ('kind = "curves"\nmetric = "accuracy"', "FILE:28: figures.0.metric: 'accuracy': curves "
         "are over epochs: expected 'train/..' or 'val/..'"),
        ('kind = "bars"\nmetric = "f1"\nmetrics = ["accuracy"]',
         "FILE:29: figures.0.metrics: expected metric or metrics, not both"),
        ('kind = "learning_curve"\nx = "optimizer.lr"\nmetrics = ["f1", "accuracy"]',
         "FILE:29: figures.0.metrics: a figure of kind 'learning_curve' has one metric"),
        ('kind = "metric_against"\nmetric = "f1"', "FILE:25: figures.0.x: missing; expected a key "
         "of a recipe, as 'optimizer.lr'"),
        ('kind = "metric_against"\nmetric = "f1"\nx = "optimizer.rate"', "FILE:29: figures.0.x: no "
         "recipe of the figure's table says 'optimizer.rate'"),
    ],
)  # fmt: skip
def test_a_figure_that_could_not_be_drawn_is_refused_before_anything_is_trained(
    tmp_path, figure, line
):
    assert problems(tmp_path, f'{TABLE}[[figures]]\nname = "f"\n{figure}\n') == [line]


SEARCH = '[[tables]]\nname = "s"\nkind = "search"\n[tables.search]\ntrials = 3\n'


@pytest.mark.parametrize(
    ("space", "line"),
    [
        ('"optimizer.lrr" = { low = 0.1, high = 0.2 }', "FILE:26: optimizer.lrr: unknown option "
         "(did you mean 'lr'?); expected one of lr, beta1, beta2, eps, weight_decay, amsgrad"),
        ('"training.epochs" = [1, 0]', "FILE:26: training.epochs: 0: expected int >= 1"),
        ('"training.epochs" = { low = 1, high = 9, step = 0.5 }', "FILE:26: "
         'tables.0.search.space."training.epochs": between whole numbers the step has to be one '
         "too"),
        ('"training.seed" = [1, 2]', "FILE:26: training.seed: each run has its own, of seeds; "
         "leave this out"),
    ],
)  # fmt: skip
def test_what_a_search_may_draw_is_checked_before_anything_is_trained(tmp_path, space, line):
    assert problems(tmp_path, f"{SEARCH}[tables.search.space]\n{space}\n") == [line]


def test_what_each_run_gets_of_its_own_cannot_be_set(tmp_path):
    assert problems(tmp_path, TABLE + 'set = { "training.seed" = 7 }\n') == [
        "FILE:25: training.seed: each run has its own, of seeds; leave this out"
    ]
    text = TABLE.replace("kind", "folds = 3\nkind", 1) + 'set = { "split.folds" = 3 }\n'
    assert problems(tmp_path, text) == [
        "FILE:26: split.folds: each run has its own, of folds; leave this out"
    ]


def test_a_study_without_end_is_refused_before_it_is_expanded(tmp_path):
    grid = TABLE.partition("[[tables.rows]]")[0].replace("list", "grid") + "[tables.vary]\n"
    values = "[" + ", ".join(f"{one}e-9" for one in range(1, 12)) + "]"
    keys = ("optimizer.lr", "optimizer.eps", "optimizer.weight_decay")
    text = grid + "".join(f'"{key}" = {values}\n' for key in keys)
    assert problems(tmp_path, text) == [
        "FILE:20: tables.0: more than 1,000 rows; expected so many at most"
    ]
    assert problems(tmp_path, TABLE.replace("kind", "folds = 1000\nkind", 1), seeds=range(11)) == [
        "the study has 11,000 runs or more; expected at most 10,000: fewer rows, seeds or folds"
    ]


def test_names_of_files_are_told_apart(tmp_path):
    assert problems(tmp_path, TABLE + TABLE.replace('"t"', '"T-differences"')) == [
        "FILE:26: tables.1.name: so are the differences of table 't' named; expected another name"
    ]


@pytest.mark.parametrize("seeds", [[], [0, 0], [-1], [2**32]])
def test_seeds_from_elsewhere_are_checked_too(tmp_path, seeds):
    with pytest.raises(StudyError) as caught:
        planned(write_study(tmp_path, TABLE), seeds=seeds)
    assert str(caught.value) == (
        f"seeds: {seeds}: expected whole numbers from 0, below 2^32, each once, as [0, 1, 2]"
    )


def test_dotted_and_nested_settings_are_the_same():
    dotted = {"optimizer.lr": 1, "augmentations.0.degrees": 5, "data.size": [64, 48]}
    nested = {
        "optimizer": {"lr": 1},
        "augmentations": {"0": {"degrees": 5}},
        "data": {"size": [64, 48]},
    }
    for table in (dotted, nested):
        assert {key: value for key, _, value in flattened(table)} == dotted
    assert value_text(1e9) == "1e+09" and value_text([64, 48]) == "[64, 48]"
    assert value_text(0.1) == "0.1" and value_text(0.123456789) == "0.123456789"


def test_a_table_measures_something(tmp_path):
    head = HEAD.replace('metrics = ["accuracy"]\n', "")
    (line,) = problems(tmp_path, TABLE, head)
    assert line == (
        "FILE:19: tables.0.metrics: missing; a table without columns has those of metrics, as "
        "metrics = ['accuracy']"
    )


def test_published_values_of_rows_stand_beside_metrics_without_columns(tmp_path):
    path = write_study(tmp_path, TABLE + 'published = { accuracy = "0.97" }\n')
    (table,) = expand(read_study(path), Asked())
    assert [(one.title, one.published) for one in table.columns] == [
        ("Row", None), ("accuracy", "accuracy"), ("Epochs", None), ("Seconds", None),
    ]  # fmt: skip


def test_what_is_not_there_at_all_says_what_to_write(tmp_path):
    columns = 'kind = "list"\ncolumns = [{ title = "C", text = "class" }]'
    assert problems(tmp_path, TABLE.replace('kind = "list"', columns)) == [
        "FILE:23: tables.0.columns.0.text: no text 'class'; expected text = { class = '..' } in "
        "[[tables.rows]], or such a column in the file of published"
    ]
    bare = HEAD[: HEAD.index("[profiles")]
    assert problems(tmp_path, TABLE, bare, profile="smoke") == [
        "no profile 'smoke'; the study has none: leave out --profile"
    ]
