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


class Done:
    """A job that is over; what submitit would unpickle is not to be asked for."""

    def done(self):
        return True

    def result(self):
        raise AssertionError("a pickle was read")


def test_what_a_job_came_to_is_read_as_json_and_a_lost_one_is_submitted_again(tmp_path):
    pytest.importorskip("submitit")
    from zoo.studies.carrying import DONE, FAILED
    from zoo.studies.executing_slurm import LOCAL, SlurmJobs

    jobs = SlurmJobs(2, tmp_path, {}, LOCAL)
    (tmp_path / "a.outcome.json").write_text('{"status": "done", "reason": "", "seconds": 1.5}')
    jobs._jobs = {"a": (None, Done()), "b": (None, Done())}
    (ended,) = jobs._ended()
    assert (ended.key, ended.outcome.status, ended.outcome.seconds) == ("a", DONE, 1.5)
    assert jobs._waiting == [None]
    jobs._jobs = {"b": (None, Done())}
    (ended,) = jobs._ended()
    assert (ended.key, ended.outcome.status) == ("b", FAILED)


def test_a_cluster_that_is_not_there_is_one_line(whole, tmp_path):
    pytest.importorskip("submitit")
    from zoo.studies.executing_slurm import SlurmJobs

    with pytest.raises(StudyError) as caught:
        study(whole[0], out=tmp_path / "out",
              begin=lambda place: SlurmJobs(2, place.out / "workers", {}))  # fmt: skip
    assert str(caught.value).startswith("--slurm: RuntimeError: Could not detect")
