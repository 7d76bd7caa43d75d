"""What to try next, and trying it: spaces, strategies, probes, the study and the executors."""
