"""The run folder, and who is told of a run."""
