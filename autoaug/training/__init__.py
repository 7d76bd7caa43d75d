"""Train one model with one policy, and evaluate it."""
