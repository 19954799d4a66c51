"""The card of a version."""
