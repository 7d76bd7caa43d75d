"""Data sets: sources in the formats people have, an audit, seeded splits, and samples in memory or on disk."""
