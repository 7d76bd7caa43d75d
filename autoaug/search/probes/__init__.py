"""Probes: work on the data, or on models trained on them, that is no training of a policy."""
