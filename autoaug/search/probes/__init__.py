"""Is the validation split distributed like the augmented training split? Without labels and without training."""
