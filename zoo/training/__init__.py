"""From batches to weights: the one loop, and the objects it drives."""
