"""Sources of images: arrays, files, and named data sets."""
