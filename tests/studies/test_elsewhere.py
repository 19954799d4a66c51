"""Runs on a Ray cluster of two nodes, and as jobs: the same numbers as in one process."""

from __future__ import annotations

import os
import signal
import time

import pytest
from inline import Inline, weights_of, without_times, write_study

from zoo.errors import StudyError
from zoo.studies.carrying import Work
from zoo.studies.executing import Ended, Told
from zoo.studies.studying import planned, study

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


@pytest.fixture(scope="module")
def cluster():
    """The address of two nodes on this machine, of one processor each."""
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    made.add_node(num_cpus=1)
    yield made.address
    import ray

    ray.shutdown()
    made.shutdown()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of Ray's own
def test_two_nodes_of_ray_give_what_one_process_gives(whole, tmp_path, cluster):
    from zoo.studies.executing_ray import RayWorkers

    out = tmp_path / "out"
    made = study(whole[0], out=out, workers=2,
                 begin=lambda place: RayWorkers(2, cluster, place.out / "workers"))  # fmt: skip
    assert weights_of(out) == whole[2]
    assert without_times(made.data) == whole[1]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("what", ["process", "actor"])
def test_a_ray_worker_that_is_killed_is_gone_on_with(whole, tmp_path, cluster, what):
    import ray

    from zoo.studies.executing_ray import RayWorkers

    job = next(iter(planned(whole[0], out=tmp_path / "out").jobs().values()))
    executor = RayWorkers(1, cluster, tmp_path / "logs")
    executor.submit(Work(job.key, str(tmp_path / job.key), job.recipe, ("test",)))
    said, killed, until = [], False, time.monotonic() + 600
    try:
        while not any(isinstance(one, Ended) for one in said) and time.monotonic() < until:
            new = executor.messages(0.1)
            said += new
            ended = [one for one in new if isinstance(one, Told)
                     and one.event["event"] == "epoch_ended"]  # fmt: skip
            if ended and not killed:
                killed, (worker,) = True, executor.workers
                if what == "process":
                    os.kill(ray.get(worker.relay.process_id.remote()), signal.SIGKILL)
                else:
                    ray.kill(worker.relay)
    finally:
        executor.close()
    assert said[-1].outcome.status == "done"
    assert (tmp_path / job.key / "best.safetensors").read_bytes() == whole[2][job.key]


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
