"""The run folder, and the trackers of a run."""
