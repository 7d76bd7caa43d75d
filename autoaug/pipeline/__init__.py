"""The pipeline from options to a result."""
