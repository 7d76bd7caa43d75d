"""The pipeline from options to a result.

The way of a run: `prepare` turns options into a checked config and data (``configure``). A session locks the run folder
and makes the `Job` that all stages share (``session``, ``job``). `run_job` then searches, confirms, trains the returned
policy longer, and writes the result (``run``: ``searching``, ``confirming``, ``longer``, ``outcome``). A user's own
objective goes another way, in ``objective``.
"""
