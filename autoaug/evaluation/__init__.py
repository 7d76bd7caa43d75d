"""Finalists trained again, and what may be claimed of them."""
