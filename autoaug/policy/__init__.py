"""Policies: their records, their files, and the published ones."""
