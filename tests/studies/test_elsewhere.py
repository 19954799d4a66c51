"""Runs as jobs: the same numbers as in one process."""

from __future__ import annotations

import os
import signal

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


def test_jobs_have_hours_unless_somebody_says_otherwise(tmp_path):
    pytest.importorskip("submitit")
    from submitit.slurm.slurm import SlurmExecutor

    from zoo.studies.executing_slurm import LOCAL, SLURM, SlurmJobs

    assert SlurmJobs(1, tmp_path, {}, LOCAL)._executor._executor.parameters["timeout_min"] == 240
    asked = {"timeout_min": 30, "slurm_max_num_timeout": 7, "slurm_partition": "gpu"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SlurmExecutor, "affinity", classmethod(lambda cls: 1))
        own = SlurmJobs(1, tmp_path, asked, SLURM)._executor._executor
        default = SlurmJobs(1, tmp_path, {}, SLURM)._executor._executor
    assert own.parameters == {"time": 30, "partition": "gpu"} and own.max_num_timeout == 7
    assert default.parameters == {"time": 240} and default.max_num_timeout == 100


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_a_job_whose_time_is_over_saves_before_it_is_queued_again(tmp_path, monkeypatch):
    from zoo.studies import executing_slurm
    from zoo.studies.carrying import DONE, Outcome, Work

    said = []
    own = {number: signal.getsignal(number) for number in (signal.SIGUSR2, signal.SIGTERM)}

    def trains(work, tell):
        def saves(number, frame):
            said.append("saved")
            raise KeyboardInterrupt

        signal.signal(signal.SIGTERM, saves)
        try:
            os.kill(os.getpid(), signal.SIGUSR2)
        finally:
            signal.signal(signal.SIGTERM, own[signal.SIGTERM])
        raise AssertionError("nothing was heard")

    def measures(work, tell):
        os.kill(os.getpid(), signal.SIGUSR2)
        return Outcome(DONE)

    def queue_again(number, frame):
        said.append("queued")
        raise SystemExit

    signal.signal(signal.SIGUSR2, queue_again)  # as submitit does
    path, line = tmp_path / "outcome.json", Work("k", "f", {}, ()).as_line()
    try:
        for carry_out, expected in ((trains, ["saved", "queued"]), (measures, ["queued"])):
            monkeypatch.setattr(executing_slurm, "carry_out", carry_out)
            said.clear()
            with pytest.raises(SystemExit):
                executing_slurm.Carry()(line, str(path))
            assert said == expected and not path.exists()
            assert signal.getsignal(signal.SIGUSR2) is queue_again
    finally:
        for number, handler in own.items():
            signal.signal(number, handler)
