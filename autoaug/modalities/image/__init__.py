"""Images: ``[n, C, H, W]`` in [0, 1]. Importing this package registers the image operators."""

from autoaug.modalities.image import colour, geometry, occlusion, quality

__all__ = ["colour", "geometry", "occlusion", "quality"]
