"""Images: ``[n, C, H, W]`` in [0, 1]. Importing this package registers the image operators."""

from autoaug.modalities.image import colour, deformation, filters, geometry, occlusion, sensor, tone, weather

__all__ = ["colour", "deformation", "filters", "geometry", "occlusion", "sensor", "tone", "weather"]
