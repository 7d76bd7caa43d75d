"""Train finalists and baselines again, and decide what may be claimed."""
