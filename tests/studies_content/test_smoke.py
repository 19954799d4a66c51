"""The smoke profiles run: of each table the first, the reference and the last row; in the sweep
all of it, through the command line."""

from __future__ import annotations

import csv
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
from smoke_rows import ends

from zoo.studies.metric_names import result_key
from zoo.studies.reading import read_study

STUDIES = Path(__file__).parents[2] / "studies"
NAMES = ("kvasir-instrument", "chest-xray", "mnist-simple-cnn", "pathmnist", "skin-lesions")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A working folder with the made-up images where the profiles look for them."""
    spec = importlib.util.spec_from_file_location("smoke_data", STUDIES / "smoke_data.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = tmp_path_factory.mktemp("work")
    module.main(folder / module.FOLDER)
    return folder


def test_the_images_are_the_same_each_time(folder, tmp_path):
    subprocess.run([sys.executable, str(STUDIES / "smoke_data.py"), str(tmp_path)], check=True)
    first = folder / "runs" / "smoke-data"
    files = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert len(files) == (2 * 60 + 3) + 96 + 4 + (1 + 9) + 80
    assert all((first / one).read_bytes() == (tmp_path / one).read_bytes() for one in files)


def statistic(column, split):
    """Under which name results hold what the column shows; None where it is no figure of runs."""
    if column.get("run"):
        return f"run/{column['run']}"
    metric = column.get("metric")
    return (
        result_key(metric, column.get("split") or split, column.get("at", "best"))
        if metric
        else None
    )


def carried_out(file, folder, out, *more):
    """What ``zoo study`` leaves in ``results.json``."""
    command = [str(Path(sys.executable).with_name("zoo")), "study", str(file), "--profile", "smoke"]
    asked = [*command, "--out", str(out), *more]
    done = subprocess.run(asked, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads((out / "results.json").read_text())


@pytest.fixture(scope="module")
def tried(folder):
    """The folder of all five, each with the rows at the ends of its tables."""
    script = Path(__file__).with_name("smoke_rows.py")
    command = [sys.executable, str(script), "tried", *NAMES]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "tried"


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", NAMES)
def test_the_first_reference_and_last_row_of_each_table(name, tried):
    out = tried / name
    tables = json.loads((out / "asked.json").read_text())
    parts = read_study(STUDIES / name / "study.toml").tables
    assert tables.keys() == {one.head.name for one in parts}
    for part in parts:
        table = tables[part.head.name]
        for suffix in ("md", "csv", "tex"):
            assert (out / "tables" / f"{table['name']}.{suffix}").is_file()
        by_name = {row["name"]: row for row in table["rows"]}
        for row in ends(part):
            said = [(run["status"], run["reason"]) for run in by_name[row]["runs"]]
            assert said == [("done", None)] * len(said), (table["name"], row)
            assert said or by_name[row]["ensemble"]
            ensemble = by_name[row]["ensemble"]
            statistics = by_name[row]["statistics"]
            for column in table["columns"]:
                key = statistic(column, table["split"])
                if key is not None and not (ensemble and key.startswith("run/")):
                    assert statistics[key]["mean"] is not None, (table["name"], row, key)
            submission = by_name[row]["submission"]
            assert submission is None or (out / submission["file"]).is_file()


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", NAMES)
def test_the_whole_profile(name, folder, tmp_path):
    file, out = STUDIES / name / "study.toml", tmp_path / "out"
    results = carried_out(file, folder, out, "--workers", "2")
    assert results["complete"] and results["profile"] == "smoke"
    part = read_study(file)
    for table, given in zip(results["tables"], part.tables, strict=True):
        assert [row["name"] for row in table["rows"]] == [row.name for row in given.rows]
        with (out / "tables" / f"{table['name']}.csv").open(newline="") as stream:
            head = [cell.removesuffix(": mean") for cell in next(csv.reader(stream))]
        places = [head.index(column.title) for column in given.columns]
        assert places == sorted(places), head
        for row in table["rows"]:
            assert {run["status"] for run in row["runs"]} <= {"done"}, (table["name"], row["name"])
            assert row["ensemble"] or [run["seed"] for run in row["runs"]] == [0, 1]
    for figure in part.figures:
        for suffix in ("svg", "png"):
            assert (out / "figures" / f"{figure.head.name}.{suffix}").stat().st_size > 1000
    assert "<table" in (out / "study.html").read_text()
