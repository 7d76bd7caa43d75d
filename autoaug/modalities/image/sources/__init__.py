"""Where images come from: arrays, files, and data sets known by name."""
