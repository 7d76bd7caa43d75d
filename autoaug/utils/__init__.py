"""What is smaller than a room: files, locks, seeds, signals, text."""
