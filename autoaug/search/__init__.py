"""Choosing and running trials: spaces, strategies, probes, the study and the executors."""
