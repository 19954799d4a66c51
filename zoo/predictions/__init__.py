"""From predictions to numbers: the predictions file and the metrics computed from it."""
