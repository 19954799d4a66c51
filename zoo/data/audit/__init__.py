"""Looking at a dataset before training: what would make it wrong, and what to know."""
