"""Looking at a dataset before it is trained on: what would make training wrong, and what to know."""
