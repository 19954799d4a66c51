"""Versions that others use: names, records, the store, cards, loading. Knows no training."""
