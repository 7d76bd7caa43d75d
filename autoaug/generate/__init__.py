"""Generated samples: fit generators, filter and judge their samples, and write augmented copies to disk."""
