"""Train one model under one policy, and evaluate it."""
