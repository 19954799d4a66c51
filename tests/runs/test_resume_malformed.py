"""A checkpoint that a stranger may have made: each fault is one line that names the file."""

import shutil

import pytest
import torch
from resumable import kill, require_same

import zoo
from zoo.errors import RunError, ZooError
from zoo.runs import resume as resuming
from zoo.runs.folder import RunFolder
from zoo.storage import tensors
from zoo.training import checkpoint_fit, checkpoint_form, checkpoints
from zoo.training.state import TEXT, pack, unpack


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Runs killed after step 7; not to be changed."""
    changes = {
        "adam": {},
        "plateau": {"scheduler.name": "plateau", "training.ema": 0.9},
        "fp16": {"training.precision": "fp16"},
    }
    folder = tmp_path_factory.mktemp("kept")
    return {name: kill(folder / name, 7, **one) for name, one in changes.items()}


@pytest.fixture
def copied(kept, here):
    def copy(name):
        shutil.copytree(kept[name].path, here / "runs/killed")
        return RunFolder.open(here / "runs/killed")

    return copy


def written(run, states):
    path = checkpoints.found(run.path)[-1]
    tensors.save(path, pack(states))
    return path


def at(states, *keys):
    for key in keys:
        states = states[key]
    return states


def put(*keys):
    *before, last, value = keys

    def harm(states):
        at(states, *before)[last] = value

    return harm


def drop(*keys):
    *before, last = keys
    return lambda states: at(states, *before).pop(last)


OPTIMIZER = ("optimizer", "state", 0)
GROUP = ("optimizer", "param_groups", 0)
FORM = [
    *(drop(name) for name in ("position", "stopping", "network", "optimizer", "tally", "schedule")),
    drop("about", "recipe"),
    drop("about", "data"),
    drop("about", "recipe", "training"),
    drop("position", "seconds"),
    put("other", {}),
    put("about", "recipe", []),
    put("about", "recipe", "training", "epochs", "x"),
    put("about", "recipe", "training", "text"),
    put("about", "data", {"a": torch.zeros(2)}),
    put("position", []),
    put("position", "load_state_dict", 1),
    *(put("position", "epoch", one) for one in ("x", -3, 0, True, 2**40)),
    *(put("position", "done", one) for one in (1.5, -3)),
    *(put("position", "step", one) for one in (-5, 2**62, 5)),
    *(put("position", "seconds", one) for one in ("a", float("nan"), -1.0, float("inf"))),
    put("stopping", []),
    put("stopping", {"exhausted": 1}),
    *(put("stopping", name, 1) for name in ("update", "patience", "mode")),
    *(put("stopping", "best", one) for one in ("x", float("nan"))),
    put("stopping", "waited", -1),
    put("stopping", "best_epoch", 9),
    put("network", torch.zeros(3)),
    put("schedule", [3]),
]
FIT = [
    put("position", "done", 6),
    put("network", {"weight": torch.zeros(3)}),
    lambda states: states["network"].update({"x": torch.zeros(3)}),
    lambda states: states["network"].update(
        {name: one.double() for name, one in states["network"].items()}
    ),
    put("average", {"updates": 0, "network": {}}),
    put("schedule", {"step": 3}),
    put("precision", {"scale": 1.0}),
    *(put(*OPTIMIZER, "exp_avg", one) for one in (torch.zeros(3), torch.zeros(()), "x", 1.0, None)),
    put(*OPTIMIZER, "exp_avg", torch.zeros(10, 64, dtype=torch.int64)),
    put(*OPTIMIZER, "exp_avg_sq", torch.zeros(10, 64, dtype=torch.complex64)),
    drop(*OPTIMIZER, "exp_avg"),
    *(put(*OPTIMIZER, "step", one) for one in (torch.tensor(-1.0), torch.zeros(2), "x", 3)),
    put(*OPTIMIZER, "step", torch.tensor(float("nan"))),
    put(*OPTIMIZER, "more", torch.zeros(3)),
    put(*OPTIMIZER, "more", "text"),
    put(*OPTIMIZER, []),
    put("optimizer", "state", 9, {"step": torch.tensor(1.0)}),
    put("optimizer", "state", []),
    put("optimizer", "param_groups", []),
    put("optimizer", "param_groups", {}),
    put("optimizer", "more", 1),
    drop("optimizer", "state"),
    put("optimizer", "param_groups", [3]),
    lambda states: states["optimizer"]["param_groups"].append(at(states, *GROUP)),
    *(put(*GROUP, "params", one) for one in ([0], [1, 0], "x", [torch.zeros(2)], [0, 0])),
    *(put(*GROUP, "lr", one) for one in ("x", -1.0, float("nan"), None, [0.1], 2**62)),
    *(put(*GROUP, "betas", one) for one in ((0.9,), (1.0, 0.9), 0.9, (0.9, -0.1), ("a", "b"))),
    put(*GROUP, "number", 1.0),
    drop(*GROUP, "lr"),
    put("tally", "cells", torch.zeros(1, dtype=torch.int64)),
    put("tally", "cells", torch.full((100,), -1)),
    put("tally", "cells", 3),
    *(put("tally", "seen", one) for one in ([[1, 2, "x"]], [], [[1, 2]], 3, [[-1, 2, 0.0]])),
    put("tally", "seen", [[1, 2, float("inf")]]),
    put("tally", "watch", []),
    put("tally", "watch", "dropped", "x"),
    put("tally", "watch", "more", 1),
]
PLATEAU = [
    drop("average"),
    put("average", "updates", -1),
    put("average", "updates", "x"),
    drop("average", "network"),
    put("average", "network", {}),
    put("average", []),
    put("schedule", {}),
    put("schedule", "step", 3),
    put("schedule", "factor", "x"),
    put("schedule", "best", float("nan")),
    put("schedule", "last_epoch", -1),
    put("schedule", "last_epoch", 2**62),
    put("schedule", "min_lrs", []),
    put("schedule", "mode", None),
]
FP16 = [
    put("precision", "scale", "x"),
    put("precision", "scale", 0.0),
    put("precision", "scale", float("nan")),
    put("precision", {}),
    put("precision", "_growth_tracker", 2**40),
]
CASES = [
    *(("adam", harm) for harm in FIT),
    *(("plateau", harm) for harm in PLATEAU),
    *(("fp16", harm) for harm in FP16),
]


@pytest.fixture(scope="module")
def built(kept):
    """What each run's states would be loaded into."""
    trainees = {}
    with pytest.MonkeyPatch.context() as patched:
        for name, run in kept.items():
            patched.setattr(
                resuming,
                "carry_out",
                lambda prepared, *_, name=name: trainees.update({name: prepared.trainee}),
            )
            zoo.resume(run.path)
    return trainees


@pytest.mark.parametrize(("name", "harm"), CASES)
def test_states_that_do_not_fit_are_one_line(name, harm, kept, built):
    states = checkpoints.read(checkpoints.found(kept[name].path)[-1])
    states.pop("about")
    fitting = unpack(pack(states))
    harm(states)
    with pytest.raises(RunError) as caught:
        resuming.load(built[name], unpack(pack(states)), "the/file")
    message = str(caught.value)
    assert message.startswith("checkpoint 'the/file' does not fit the run: ")
    assert message.endswith("; train anew") and "\n" not in message and len(message) < 300
    resuming.load(built[name], fitting, "the/file")


@pytest.mark.parametrize("harm", [*FORM, FIT[0], FIT[1], FIT[7]])
def test_a_malformed_checkpoint_is_one_line(harm, copied):
    run = copied("adam")
    states = checkpoints.read(checkpoints.found(run.path)[-1])
    harm(states)
    path = written(run, states)
    before = (run.path / "events.jsonl").read_bytes()
    with pytest.raises(ZooError) as caught:
        zoo.resume(run.path)
    message = str(caught.value)
    assert message.startswith(f"checkpoint {str(path)!r} ") and "\n" not in message
    assert message.endswith(("; train anew", "train anew from its recipe.toml"))
    assert len(message) < len(str(path)) + 300
    assert (run.path / "events.jsonl").read_bytes() == before


@pytest.mark.parametrize("name", ["adam", "plateau", "fp16"])
def test_written_again_unharmed_it_goes_on(name, copied):
    run = copied(name)
    written(run, checkpoints.read(checkpoints.found(run.path)[-1]))
    assert zoo.resume(run.path).info["status"] == "finished"


@pytest.mark.parametrize(
    "text",
    [
        '{"about": ' + '{"a": ' * 100 + "1" + "}" * 101,
        "[" * 100_000,
        '{"about": NaN}',
        '{"about": {}, "about": {}}',
        "[]",
        "\udcff",
        '{"a": {"$": "items", "items": [[[], 1]]}}',
        '{"a": {"$": "tensor", "name": []}}',
        '{"a": {"$": "float", "value": "x"}}',
        '{"a": {"$": []}}',
    ],
)
def test_text_that_is_no_state_is_one_line(text, copied):
    run = copied("adam")
    path = checkpoints.found(run.path)[-1]
    data = bytearray(text.encode(errors="surrogateescape"))
    held = {**tensors.load(path), TEXT: torch.frombuffer(data, dtype=torch.uint8)}
    tensors.save(path, held)
    with pytest.raises(ZooError) as caught:
        zoo.resume(run.path)
    assert str(caught.value).startswith(f"checkpoint {str(path)!r} cannot be used: ")


def test_without_the_checks_it_would_be_believed(copied, monkeypatch):
    """torch itself takes a state of any shape; what its kernel then does with it is not tried."""
    run = copied("adam")
    states = checkpoints.read(checkpoints.found(run.path)[-1])
    put(*OPTIMIZER, "exp_avg", torch.zeros(3))(states)
    states["position"]["done"] = -3
    written(run, states)
    monkeypatch.setattr(checkpoint_form, "require_form", lambda states: None)
    monkeypatch.setattr(checkpoint_fit, "fitted", lambda run, states: states)
    believed = []

    def stop(prepared, *_):
        believed.append(prepared.trainee)

    monkeypatch.setattr(resuming, "carry_out", stop)
    zoo.resume(run.path)
    (trainee,) = believed
    held = next(iter(trainee.update.optimizer.state.values()))
    assert held["exp_avg"].shape == (3,) and trainee.position.done == -3


def test_nothing_is_loaded_before_all_fits(copied, monkeypatch):
    run = copied("adam")
    states = checkpoints.read(checkpoints.found(run.path)[-1])
    states["tally"]["seen"] = 3
    written(run, states)
    monkeypatch.setattr(torch.nn.Module, "load_state_dict", None)
    with pytest.raises(ZooError, match=r"does not fit the run: tally\.seen is no list"):
        zoo.resume(run.path)


def test_values_of_a_recipe_are_clipped(copied):
    run = copied("adam")
    states = checkpoints.read(checkpoints.found(run.path)[-1])
    states["about"]["recipe"]["training"]["seed"] = ["x" * 10_000]
    written(run, states)
    with pytest.raises(ZooError, match=r"training\.seed of recipe\.toml is 0") as caught:
        zoo.resume(run.path)
    assert len(str(caught.value)) < 400


def test_whose_kernel_runs_is_not_the_files_affair(copied, kept):
    """Flags of the optimizer come from the one that was built, and change nothing here."""
    run = copied("adam")
    straight = RunFolder(run.path.with_name("straight"))
    shutil.copytree(run.path, straight.path)
    states = checkpoints.read(checkpoints.found(run.path)[-1])
    at(states, *GROUP).update(fused=False, foreach=True, capturable=True, amsgrad=True, extra=None)
    written(run, states)
    zoo.resume(run.path)
    zoo.resume(straight.path)
    require_same(straight, run)
