"""Every figure as a function: arrays in, a figure in the one style out."""
