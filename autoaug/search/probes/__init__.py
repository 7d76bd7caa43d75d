"""Probes: measurements on the data, or on models trained on them, that train no policy."""
