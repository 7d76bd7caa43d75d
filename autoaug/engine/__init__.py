"""The engine draws plans and applies them."""
