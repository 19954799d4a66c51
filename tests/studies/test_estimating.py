"""How long the rest of a study may take, by what its runs took. Nothing trains."""

from __future__ import annotations

import json

from inline import write_study

from zoo.studies.estimating import LIKE_OTHERS, MEASURED, estimated, left
from zoo.studies.planning import planned

TABLES = """
[[tables]]
name = "t"
kind = "one_at_a_time"
[tables.vary]
"training.epochs" = [2, 4]
"""


def test_runs_of_other_recipes_tell_by_their_epochs(tmp_path):
    path, out = write_study(tmp_path, TABLES), tmp_path / "out"
    plan = planned(path, out=out)
    assert [one.seconds for one in estimated(plan)] == [None] * 4
    assert left(estimated(plan), 1) is None
    first = out / "runs" / next(iter(plan.jobs()))
    first.mkdir(parents=True)
    (first / "run.json").write_text('{"status": "finished"}')
    (first / "events.jsonl").write_text(json.dumps({"event": "training_ended", "seconds": 10.0}))
    runs = estimated(plan)
    assert [(one.name, one.status, one.seconds, one.source) for one in runs] == [
        ("t/training.epochs=2, seed 0", "done", 10.0, MEASURED),
        ("t/training.epochs=4, seed 0", "waiting", 20.0, LIKE_OTHERS),
        ("t/training.epochs=2, seed 1", "waiting", 10.0, MEASURED),
        ("t/training.epochs=4, seed 1", "waiting", 20.0, LIKE_OTHERS),
    ]
    assert left(runs, 2) == 25.0
    of_one_row = estimated(planned(path, out=out, rows=("training.epochs=4",)))
    assert [one.seconds for one in of_one_row] == [20.0, 20.0]
