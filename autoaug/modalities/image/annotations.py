"""Move boxes, masks and keypoints with their image: plain functions, which exported modules contain verbatim.

A movement describes how the pixels of one image moved: maps ``[3, 3]`` and fields ``[H, W, 2]``, each from output to
input positions in pixels from the center, in the order in which they were applied.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import grid_sample
from torchvision import tv_tensors
from torchvision.transforms.v2.functional import convert_bounding_box_format

from autoaug.functional.containers import parts_of, with_parts
from autoaug.modalities.image.warping import field_grid, map_grid

#: The kinds of operators that move pixels.
moving: tuple[str, ...] = ("warp", "projection", "field")


def follow(movement: list[Tensor], targets: Any, size: tuple[int, int]) -> Any:
    """Move the `targets` of an image of `size` (height, width) with it: ``tv_tensors`` of boxes (clipped at the
    border), masks (nearest pixel) and keypoints, in nested lists, tuples, mappings and dataclasses of any kind.
    Everything else is kept. Integer boxes and keypoints are rounded. A keypoint names a pixel, as in torchvision's
    flips, which move x to W - 1 - x: the center of that pixel is moved. Boxes name the edges between pixels.

    Raises:
        ValueError: boxes, masks or keypoints belong to an image of another size, or boxes are rotated.
    """
    if isinstance(targets, tv_tensors.BoundingBoxes):
        return move_boxes(movement, targets, size)
    if isinstance(targets, tv_tensors.Mask):
        return tv_tensors.wrap(move_mask(movement, targets.as_subclass(Tensor), size), like=targets)
    if type(targets).__name__ == "KeyPoints":  # not in older versions of torchvision
        check_size("keypoints", targets.canvas_size, size)
        points = targets.as_subclass(Tensor)
        moved = move_points(movement, points.reshape(-1, 2).double() + 0.5, size) - 0.5
        return tv_tensors.wrap(as_coordinates(moved, points.dtype).view_as(points), like=targets)
    parts = parts_of(targets)
    return targets if parts is None else with_parts(targets, [follow(movement, part, size) for part in parts])


def check_size(what: str, own: Any, size: tuple[int, int]) -> None:
    """Raise ValueError if `what` belongs to an image of another size (height, width)."""
    if tuple(own) != tuple(size):
        cure = "resize them with the image"
        raise ValueError(f"the {what} belong to an image of size {list(own)}, but this one has {list(size)}; {cure}")


def as_coordinates(values: Tensor, dtype: torch.dtype) -> Tensor:
    """Coordinates as `dtype`, rounded if it is an integer type."""
    return values.to(dtype) if dtype.is_floating_point else values.round().to(dtype)


def extend(movement: list[Tensor], step: Tensor) -> None:
    """Add a step to a movement; consecutive maps are composed."""
    if movement and step.shape == movement[-1].shape == (3, 3):
        movement[-1] = movement[-1] @ step
    else:
        movement.append(step)


def move_points(movement: list[Tensor], points: Tensor, size: tuple[int, int]) -> Tensor:
    """Move points ``[n, 2]``, float64 ``(x, y)`` in pixels from the upper left corner, with the image content."""
    half = points.new_tensor([size[1] / 2, size[0] / 2])
    points = points - half
    for step in movement:
        if step.shape == (3, 3):
            mapped = torch.cat([points, torch.ones_like(points[:, :1])], 1) @ torch.linalg.inv(step.to(points)).T
            points = mapped[:, :2] / mapped[:, 2:]
        else:
            source = step.to(points).reshape(-1, 2)
            nearest = torch.cdist(points, source).argmin(1)
            y, x = nearest // size[1] + 0.5, nearest % size[1] + 0.5
            points = torch.stack([x, y], 1) - half + points - source[nearest]
    return points + half


def move_boxes(movement: list[Tensor], boxes: Any, size: tuple[int, int]) -> Any:
    """Upright ``BoundingBoxes`` around the moved ones, clipped at the border; a box outside the image has no area."""
    check_size("boxes", boxes.canvas_size, size)
    upright = tv_tensors.BoundingBoxFormat.XYXY
    if boxes.format.name not in ("XYXY", "XYWH", "CXCYWH"):
        raise ValueError(f"boxes in the format {boxes.format.name} cannot be moved; convert them to XYXY")
    exact = boxes.as_subclass(Tensor).double()
    corners = convert_bounding_box_format(exact, boxes.format, upright).reshape(-1, 4)
    for step in movement:
        if step.shape == (3, 3):
            quads = corners[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 2)
            moved = move_points([step], quads, size).view(-1, 4, 2)
            corners = torch.cat([moved.amin(1), moved.amax(1)], 1)
        else:
            field = step.to(corners)
            corners = torch.stack([box_about(field, corner, size) for corner in corners]) if len(corners) else corners
    limit = corners.new_tensor([size[1], size[0], size[1], size[0]])
    corners = torch.minimum(corners.clamp(min=0), limit)
    moved = convert_bounding_box_format(corners, upright, boxes.format)
    return tv_tensors.wrap(as_coordinates(moved, boxes.dtype).view(boxes.shape), like=boxes)


def box_about(field: Tensor, box: Tensor, size: tuple[int, int]) -> Tensor:
    """The box around all output pixels whose source is inside `box`."""
    x, y = field[..., 0] + size[1] / 2, field[..., 1] + size[0] / 2
    rows, columns = ((x >= box[0]) & (x <= box[2]) & (y >= box[1]) & (y <= box[3])).nonzero(as_tuple=True)
    if not len(rows):
        return torch.zeros_like(box)
    return torch.stack([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]).to(box)


def move_mask(movement: list[Tensor], mask: Tensor, size: tuple[int, int]) -> Tensor:
    """Move masks ``[..., H, W]`` of any dtype, sampling the nearest pixel; outside pixels are 0."""
    check_size("masks", mask.shape[-2:], size)
    # Pixel indices (from 1) are moved instead of the values, which therefore stay exact for any dtype.
    places = torch.arange(1, size[0] * size[1] + 1, dtype=torch.float64, device=mask.device).view(1, 1, *size)
    for step in movement:
        if step.shape == (3, 3):
            grid = map_grid(places, step[None].to(mask.device), projective=True)
        else:
            grid = field_grid(places, step[None].to(mask.device))
        places = grid_sample(places, grid, mode="nearest", padding_mode="zeros", align_corners=False)
    flat = torch.nn.functional.pad(mask.flatten(-2), (1, 0))
    return flat[..., places.long().flatten()].view_as(mask)
