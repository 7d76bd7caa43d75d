"""Small helpers: files, locks, seeds, signals, text."""
