"""Images: ``[n, C, H, W]`` in [0, 1]. Importing this package registers the image operators."""

from autoaug.modalities.image import color as color
from autoaug.modalities.image import deformation, filters, geometry, occlusion, sensor, tone, weather

__all__ = ["color", "deformation", "filters", "geometry", "occlusion", "sensor", "tone", "weather"]
