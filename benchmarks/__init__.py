"""The programs behind the results in ``reports/``: one module per benchmark, and shared code.

Run them from a checkout, as ``scripts/bench_NAME``; the wheel does not contain them.
"""
