"""Formats of files: each file says which it has, and only the present one is read."""

from __future__ import annotations

from typing import Any


def refusal(version: int, own: int, cure: str) -> str:
    """Why a file of format `version` is not read where the present one is `own`; empty if it is. The `cure` is what to
    do about a file of an earlier version.
    """
    if version > own:
        return f"has format {version}, but this autoaug reads {own}; install a newer autoaug"
    if version < own:
        return f"has format {version}, of an earlier version of autoaug, but this one reads {own}; {cure}"
    return ""


def checked_format(document: Any, own: int, cure: str) -> Any:
    """The document itself; raises `ValueError` if another version wrote it, see `refusal`. Without a format, it counts
    as one of the present.
    """
    version = document.get("format") if isinstance(document, dict) else None
    if isinstance(version, int) and (reason := refusal(version, own, cure)):
        raise ValueError(f"it {reason}")
    return document
