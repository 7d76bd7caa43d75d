"""Data sets: sources in common formats, an audit, seeded splits, and samples in memory or on disk."""
