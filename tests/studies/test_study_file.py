"""The study file: what is taken, and what is said of everything else."""

from __future__ import annotations

import pytest
from inline import HEAD, write_study

from zoo.errors import StudyError
from zoo.studies.expanding import Asked, expand
from zoo.studies.reading import read_study
from zoo.studies.settings import flattened, value_text

TABLE = '[[tables]]\nname = "t"\nkind = "list"\n[[tables.rows]]\nname = "a"\n'


def problems(tmp_path, text, head=HEAD, **asked):
    path = write_study(tmp_path, text, head)
    with pytest.raises(StudyError) as caught:
        expand(read_study(path), Asked(**asked))
    return [line.replace(f"{path}", "FILE") for line in caught.value.problems]


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
             "name, footnote, set, recipe, text, published, ensemble"],
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
             "recipe, text, published, ensemble",
             "FILE:27: figures.0.kind: 'pie': expected 'curves' | 'train_val' | 'metric_against' | "
             "'bars' | 'learning_curve' | 'confusion' | 'masks' | 'resources'",
             "FILE:28: figures.0.name: '../x': expected a name of letters, digits, '-', '_' and "
             "'.', at most 64"],
        ),
    ],
)  # fmt: skip
def test_problems_are_told_all_at_once_with_their_line(tmp_path, text, lines):
    assert problems(tmp_path, text, profile="smoke" if "smoke" in text else "") == lines


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
    head = 'title = "x"\n'
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
    figure = '[[figures]]\nkind = "bars"\nname = "f"\n'
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
