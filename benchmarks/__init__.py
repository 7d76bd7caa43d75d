"""How the results under ``reports/`` were made: one module per benchmark, and what they share.

They run from a checkout, as ``scripts/bench_NAME``; the wheel has none of them.
"""
