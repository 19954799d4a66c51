"""Datasets: those inside libraries, and readers for files."""
