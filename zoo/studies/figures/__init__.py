"""The figures of a study, drawn from its results and the folders of its runs."""
