"""Where a run's figures go besides its folder. Listing them imports none of the libraries."""

import zoo


@zoo.hookimpl
def register_trackers() -> list[zoo.TrackerSpec]:
    return [
        zoo.TrackerSpec(
            name="tensorboard",
            build="zoo_trackers.to_tensorboard:build",
            summary="event files in RUN/tensorboard, for tensorboard --logdir runs",
            source="tensorboard, by way of torch.utils.tensorboard",
            requires="tensorboard",
        ),
        zoo.TrackerSpec(
            name="wandb",
            build="zoo_trackers.to_wandb:build",
            summary="Weights & Biases; offline, files in RUN/wandb that wandb sync uploads",
            source="wandb",
            requires="wandb",
        ),
        zoo.TrackerSpec(
            name="mlflow",
            build="zoo_trackers.to_mlflow:build",
            summary="MLflow, on a server or in plain files beside the run",
            source="mlflow-skinny",
            requires="mlflow",
        ),
    ]
