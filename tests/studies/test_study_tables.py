"""A table of results as texts, and how each format prints hostile ones."""

from __future__ import annotations

import csv
import html
import io
import re
import shutil
import subprocess

import pytest

from zoo.studies.cells import shown_table
from zoo.studies.formats import comma_separated, differences_separated, latex, latex_text, markdown
from zoo.studies.page import study_page


def spread(mean, sd=None, count=1, interval=None, difference=None):
    low, high = (mean - 0.1, mean + 0.1) if interval else (None, None)
    return {"mean": mean, "sd": sd, "count": count, "low": low, "high": high,
            "interval": interval, "difference": difference}  # fmt: skip


def run(status="done", reason=None, seed=0):
    return {"seed": seed, "fold": None, "key": f"k{seed}", "status": status, "reason": reason,
            "seconds": 2.0}  # fmt: skip


RECIPE = {
    "dataset": {"name": "digits"}, "architecture": {"name": "linear"}, "optimizer": {"lr": 0.1},
}  # fmt: skip


def row(name, number, accuracy, runs=None, **more):
    statistics = {"test/accuracy": accuracy, "run/seconds": spread(2.04), "run/epochs": spread(3.0)}
    runs = [{**one, "key": f"{name}-{one['key']}"} for one in runs or [run()]]
    return {
        "name": name, "number": number, "varied": "rate", "value": 0.1, "text": {"class": "CNN"},
        "published": {"acc": "97.5"}, "footnote": None, "recipe": RECIPE,
        "runs": runs, "statistics": statistics, "ensemble": None,
        **more,
    }  # fmt: skip


COLUMNS = [
    {"title": "Model", "row": "name"},
    {"title": "Class", "text": "class"},
    {"title": "Rate", "value": "optimizer.lr"},
    {"title": "Acc.", "metric": "accuracy", "percent": True, "published": "acc"},
    {"title": "Epoch", "run": "epochs"},
    {"title": "Time", "run": "seconds"},
]
WORSE = {"value": -0.05, "low": -0.08, "high": -0.02, "interval": "t", "p": 0.001,
         "shown": "reference"}  # fmt: skip
UNSURE = {**WORSE, "low": -0.08, "high": 0.02, "p": 0.4, "shown": None}
ROWS = [
    row("base", 1, spread(0.98, 0.01, 2, "t"), [run(), run(seed=1)]),
    row("worse", 2, spread(0.93, 0.02, 2, "t", WORSE), footnote="as printed"),
    row("unsure", 3, spread(0.93, None, 1, "samples", UNSURE)),
    row("gone", 4, spread(None), [run("failed", "no such file"), run("failed", "no such file")]),
    row("mixed", 5, spread(0.5), [run(), run("diverged", "nan in step 2", seed=1)], footnote="x"),
    row("later", 6, spread(None), [run("waiting"), run("paused")], published={}),
]
TABLE = {
    "name": "table-5", "title": "Table 5", "kind": "list", "split": "test", "reference": "base",
    "footnotes": ["It does not add up."], "columns": COLUMNS, "rows": ROWS, "labels": {},
}  # fmt: skip


def test_the_table_has_the_columns_asked_for_in_their_order():
    table = shown_table(TABLE)
    assert [one.text for one in table.head] == [
        "Model", "Class", "Rate", "Acc.", "Acc., published", "Epoch", "Time",
    ]  # fmt: skip
    assert [[cell.line for cell in row] for row in table.rows] == [
        ["base", "CNN", "0.1", "98.00 ± 1.00 [88.00, 108.00]", "97.5", "3", "2.0"],
        ["worse", "CNN", "0.1", "93.00 ± 2.00 [83.00, 103.00]", "97.5", "3", "2.0"],
        ["unsure", "CNN", "0.1", "93.00 [83.00, 103.00]", "97.5", "3", "2.0"],
        ["gone", "CNN", "0.1", "-", "97.5", "3", "2.0"],
        ["mixed", "CNN", "0.1", "50.00", "97.5", "3", "2.0"],
        ["later", "CNN", "0.1", "-", "-", "3", "2.0"],
    ]


def test_what_has_to_be_known_of_a_row_stands_below():
    table = shown_table(TABLE)
    assert [row[0].marks for row in table.rows] == [(), ("a",), (), ("b",), ("c", "d"), ("e",)]
    assert list(table.notes) == [
        ("a", "as printed"),
        ("b", "all runs failed: no such file"),
        ("c", "x"),
        ("d", "seed 1 diverged: nan in step 2"),
        ("e", "2 of 2 runs not done"),
        ("", "It does not add up."),
        ("", "Mean ± standard deviation over 2 runs."),
    ]
    brackets = (
        "In brackets the 95 % interval of the mean over runs (Student's t); of one run, over "
        "samples."
    )
    assert table.intervals == brackets and brackets in study_page_of(table)
    for text in (markdown(table), latex(table)):
        assert "Mean " in text and "In brackets the 95 " in text and "; of one run" in text


def study_page_of(table):
    data = {"title": "T", "name": "n", "profile": "", "source": "", "tables": [TABLE],
            "figures": []}  # fmt: skip
    return html.unescape(study_page(data, [table], []))


def test_the_page_has_the_trials_of_a_search_and_says_what_is_not_drawn():
    trial = {
        "number": 0,
        "status": "complete",
        "value": 0.91238,
        "epochs": 2,
        "settings": {"optimizer.lr": 0.00177911, "training.batch_size": 16},
        "reason": None,
    }
    lost = {
        **trial,
        "number": 1,
        "status": "fail",
        "value": None,
        "epochs": None,
        "reason": "no disk",
    }
    table = {**TABLE, "labels": {"optimizer.lr": "rate"}, "trials": [trial, lost]}
    data = {"title": "T", "name": "n", "profile": "", "source": "", "tables": [table]}
    page = study_page({**data, "figures": [{"name": "f"}]}, [shown_table(table)], [])
    cells = re.findall(r"<t[dh][^>]*>([^<]*)", page)
    first = cells.index("Trial")
    assert cells[first : first + 18] == [
        "Trial", "rate", "training.batch_size", "Value", "Epochs", "Status",
        "0", "0.001779", "16", "0.9124", "2", "complete",
        "1", "0.001779", "16", "-", "-", "fail",
    ]  # fmt: skip
    assert "Figures of which there is nothing to draw: f." in page


def test_a_row_with_the_recipe_of_another_says_so():
    rows = [row("a", 1, spread(0.5)), row("b", 2, spread(0.5)), row("c", 3, spread(0.5))]
    rows[2]["runs"] = rows[0]["runs"]
    table = shown_table({**TABLE, "rows": rows, "reference": None, "footnotes": []})
    assert [one[0].marks for one in table.rows] == [(), (), ("a",)]
    assert list(table.notes) == [("a", "The recipe, and so the runs, of a.")]


def test_a_metric_that_no_run_has_is_said():
    columns = [{"title": "Dice", "metric": "dice"}, {"title": "Loss", "metric": "val/dice"}]
    table = {**TABLE, "columns": [*COLUMNS, *columns], "rows": ROWS[:1], "footnotes": []}
    assert [text for _, text in shown_table(table).notes][:2] == [
        "No run has dice of test; zoo eval RUN says which figures it has.",
        "No run has val/dice of its epochs; its events.jsonl says which figures they have.",
    ]
    waiting = {**table, "rows": [row("w", 1, spread(None), [run("waiting")])]}
    assert not any("No run has" in text for _, text in shown_table(waiting).notes)


def test_the_page_says_what_was_trained_on_what():
    runs = [run(seed=seed) for seed in range(8)]
    rows = [row("a", 1, spread(0.5), runs), row("b", 2, spread(0.5), ensemble={"rows": ["a"]})]
    rows[1] |= {"recipe": None}
    table = {**TABLE, "rows": rows}
    data = {"title": "T", "name": "n", "profile": "", "source": "", "tables": [table]}
    page = study_page({**data, "figures": []}, [shown_table(table)], [])
    facts = dict(re.findall(r"<dt>([^<]*)</dt>\s*<dd>([^<]*)</dd>", page))
    assert facts == {
        "Datasets": "digits", "Architectures": "linear", "Measured on": "test",
        "Seeds": "0, 1, 2, 3, 4, 5 and 2 more", "Tables": "1, with 2 rows", "Runs": "9 of 9 done",
        "Training": "18 s in all",
    }  # fmt: skip


def test_differences_say_when_none_is_shown():
    differences = shown_table(TABLE).differences
    assert differences is not None and differences.title == "Differences from base"
    assert [[cell.line for cell in row] for row in differences.rows][:3] == [
        ["worse", "-5.00 [-8.00, -2.00], worse"],
        ["unsure", "-5.00 [-8.00, +2.00], no difference shown"],
        ["gone", "-"],
    ]
    assert shown_table({**TABLE, "reference": None}).differences is None


def test_latex_sets_a_minus_before_numbers_and_a_hyphen_between_words():
    minus = row("a-b", 7, spread(-0.5, 0.2, 2, "t"))
    text = latex(shown_table({**TABLE, "rows": [minus], "reference": None}))
    assert "a-b & CNN & 0.1 & $-$50.00 $\\pm$ 20.00 {[}$-$60.00, $-$40.00{]} & 97.5" in text


def test_csv_holds_numbers_in_full_in_the_unit_of_the_title_and_no_formulas():
    table = shown_table({**TABLE, "rows": [*ROWS, row("=1+1", 7, spread(0.5))]})
    found = list(csv.DictReader(io.StringIO(comma_separated(table))))
    assert found[0]["Acc.: mean"] == "98.0" and found[0]["Acc.: count"] == "2"
    assert found[0]["Acc.: sd"] == "1.0" and found[0]["Time: mean"] == "2.04"
    assert found[3]["Acc.: mean"] == "" and found[-1]["Model"] == "'=1+1"
    differences = list(csv.DictReader(io.StringIO(differences_separated(table) or "")))
    assert (differences[0]["Acc.: value"], differences[0]["Acc.: shown"]) == ("-5.0", "reference")


HOSTILE = "a|b_c*<script>$x$ & 50% #1 {y} \\input{/etc/passwd} ~^\x1b[0m"


def test_hostile_texts_are_escaped_everywhere():
    rows = [row(HOSTILE, 1, spread(0.5), footnote=HOSTILE)]
    table = {**TABLE, "rows": rows, "title": HOSTILE, "footnotes": [HOSTILE]}
    shown = shown_table({**table, "reference": None})
    text = markdown(shown)
    (line,) = [one for one in text.splitlines() if "CNN" in one]
    assert line.count("|") - line.count("\\|") == len(shown.head) + 1
    assert "<script>" not in text and "\x1b" not in text
    tex = latex(shown)
    assert "\\input" not in tex and "\\textbackslash{}input\\{" in tex and "50\\%" in tex
    data = {"title": HOSTILE, "name": "n", "profile": "", "source": HOSTILE, "tables": [table],
            "figures": []}  # fmt: skip
    page = study_page({**data, "tables": [{**table, "rows": rows}]}, [shown], [])
    assert "<script" not in page and "&lt;script&gt;" in page
    assert 'src="http' not in page and 'href="http' not in page


def test_a_footnote_is_no_list():
    shown = shown_table({**TABLE, "footnotes": ["- a", "+ b", "1. c", "-1 d", "1.5 e"]})
    lines = markdown(shown).splitlines()
    for line in (r"\- a", r"\+ b", r"1\. c", "-1 d", "1.5 e"):
        assert f"{line}  " in lines


def test_latex_of_brackets_behind_a_line_break():
    assert latex_text("[1] ± 5 %") == "{[}1{]} $\\pm$ 5 \\%"


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_is_taken_by_latex(tmp_path):
    body = latex(shown_table({**TABLE, "title": HOSTILE.replace("\x1b", "")}))
    text = f"\\documentclass{{article}}\\usepackage{{booktabs}}\\begin{{document}}{body}"
    (tmp_path / "t.tex").write_text(text + "\\end{document}")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "t.tex"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
