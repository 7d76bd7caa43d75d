"""The engine draws plans and applies them.

From a policy to augmented samples: `draw_plan` makes all random choices (``plan``). `make_program` decides on the host
what runs together, with the maps that samples carry along (``program``, ``schedule``, ``carrying``), and `run_program`
runs it without any choice left, chunk by chunk (``run_program``, ``execute``). `apply_plan` and `PolicyTransform` are
what users call (``apply``, ``transform``); single samples take a shorter way (``draw_buffer``, ``arrays``).
"""
