"""Exported code for texts."""

EXPORTS: dict = {}
