"""Samples that a model makes: fitting generators, filtering and judging their samples, and copies on disk."""
