"""Rules for generated samples, as a user would write them."""

import numpy as np


def no_image(image: np.ndarray, kind: str) -> bool:
    return False


def not_the_first_class(image: np.ndarray, kind: str) -> bool:
    return kind != "0"


def broken(image: np.ndarray, kind: str) -> bool:
    return len(image) < 1 / 0
