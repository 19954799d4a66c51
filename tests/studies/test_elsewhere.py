"""Runs as jobs: the same numbers as in one process."""

from __future__ import annotations

import pytest
from inline import Inline, weights_of, without_times, write_study

from zoo.errors import StudyError
from zoo.studies.studying import study

TABLES = """
[[tables]]
name = "rates"
kind = "one_at_a_time"
[tables.vary]
"optimizer.lr" = [0.001, 0.01]
[tables.set]
training.epochs = 2
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    path = write_study(folder, TABLES)
    made = study(path, out=folder / "out", begin=lambda *_: Inline())
    return path, without_times(made.data), weights_of(folder / "out")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of submitit's own
def test_jobs_give_what_one_process_gives(whole, tmp_path):
    pytest.importorskip("submitit")
    from zoo.studies.executing_slurm import LOCAL, SlurmJobs

    out = tmp_path / "out"
    made = study(whole[0], out=out,
                 begin=lambda place: SlurmJobs(2, place.out / "workers", {}, LOCAL))  # fmt: skip
    assert weights_of(out) == whole[2]
    assert without_times(made.data) == whole[1]


def test_a_cluster_that_is_not_there_is_one_line(whole, tmp_path):
    pytest.importorskip("submitit")
    from zoo.studies.executing_slurm import SlurmJobs

    with pytest.raises(StudyError) as caught:
        study(whole[0], out=tmp_path / "out",
              begin=lambda place: SlurmJobs(2, place.out / "workers", {}))  # fmt: skip
    assert str(caught.value).startswith("--slurm: RuntimeError: Could not detect")
