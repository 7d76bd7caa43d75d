"""autoaug: automated augmentation-policy search that proves what it found."""
__version__ = "0.1.0"
