"""studies/README.md is what the studies, and what is kept of their results, say."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
from pathlib import Path

import pytest

STUDIES = Path(__file__).parents[2] / "studies"


@pytest.fixture
def overview():
    spec = importlib.util.spec_from_file_location("overview", STUDIES / "overview.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(overview):
    assert (STUDIES / "README.md").read_text(encoding="utf-8") == overview.page(), (
        "make it anew: python studies/overview.py"
    )


def test_every_published_number_stands_on_the_page(overview):
    page = overview.page()
    for name in overview.STUDIES:
        study = overview.read_study(STUDIES / name / "study.toml")
        for table in study.tables:
            for row, published in table.published.items():
                line = f"| {table.head.name} | {row} | "
                (found,) = [one for one in page.splitlines() if one.startswith(line)] or [""]
                for column in table.columns:
                    if column.published:
                        assert f"{column.title} " in found and column.published
                        cell = published.get(column.title) or published[column.published]
                        assert f"{column.title} {cell}" in found, (name, line)


def test_links_lead_to_the_images(overview):
    for target in set(re.findall(r"\]\(([\w-]+)/README\.md#images\)", overview.page())):
        assert "\n## Images\n" in (STUDIES / target / "README.md").read_text(encoding="utf-8")


def test_results_are_kept_and_shown(overview, tmp_path, monkeypatch):
    shutil.copytree(STUDIES, tmp_path / "studies")
    monkeypatch.setattr(overview, "HERE", tmp_path / "studies")
    folder = tmp_path / "studies" / "mnist-simple-cnn"
    (folder / "ours.csv").unlink(missing_ok=True)
    statistics = {
        "last/train/accuracy": {"mean": 0.99512, "sd": 0.00031, "count": 2},
        "last/val/accuracy": {"mean": 0.98873, "sd": None, "count": 1},
        "test/accuracy": {"mean": None, "sd": None, "count": 0},
    }
    row = {"name": "Batch Size=16", "statistics": statistics}
    table = {"name": "table-5-batch-size", "split": "test", "rows": [row]}
    results = tmp_path / "results.json"
    results.write_text(
        json.dumps({"name": "mnist-simple-cnn", "profile": "full", "tables": [table]})
    )
    overview.main([results])
    page = (tmp_path / "studies" / "README.md").read_text(encoding="utf-8")
    assert (
        "| Average Train Accuracy (%) 99.51 ± 0.03 (2), Average Validation Accuracy (%) 98.87 (1) |"
    ) in page
    assert "Ours: profile full." in page
    assert "Test accuracy (%), not in the report" not in page
    table["rows"] = [{"name": "Batch Size=64", "statistics": statistics}]
    results.write_text(
        json.dumps({"name": "mnist-simple-cnn", "profile": "hour", "tables": [table]})
    )
    overview.keep(results)
    kept = (folder / "ours.csv").read_text().splitlines()
    assert len(kept) == 5 and kept[1].startswith("table-5-batch-size,Batch Size=16,")
