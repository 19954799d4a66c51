"""Keeping a registry: verify, repair, collect."""
