"""Boxes, masks and key-points follow their image: plain functions, which exported code carries along word for word.

A movement is where one image's pixels went: maps ``[3, 3]`` and fields ``[H, W, 2]``, each from output to input
positions in pixels from the centre, in the order in which they were applied.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import grid_sample
from torchvision import tv_tensors
from torchvision.transforms.v2.functional import convert_bounding_box_format

from autoaug.warping import field_grid, map_grid


def follow(movement: list[Tensor], targets: Any, size: tuple[int, int]) -> Any:
    """`targets` of an image of `size` (height, width), moved with it: in nested lists, tuples and dicts ``tv_tensors``
    of boxes (cut off at the border), masks (nearest pixel) and key-points; all else as it is.
    """
    if isinstance(targets, dict):
        return type(targets)((key, follow(movement, value, size)) for key, value in targets.items())
    if isinstance(targets, list | tuple):
        return type(targets)(follow(movement, value, size) for value in targets)
    if isinstance(targets, tv_tensors.BoundingBoxes):
        return move_boxes(movement, targets, size)
    if isinstance(targets, tv_tensors.Mask):
        return tv_tensors.wrap(move_mask(movement, targets.as_subclass(Tensor), size), like=targets)
    if type(targets).__name__ == "KeyPoints":  # not in older versions of torchvision
        points = targets.as_subclass(Tensor)
        moved = move_points(movement, points.reshape(-1, 2).double(), size).to(points.dtype)
        return tv_tensors.wrap(moved.view_as(points), like=targets)
    return targets


def extend(movement: list[Tensor], step: Tensor) -> None:
    """Add a step to a movement; maps that follow one another become one."""
    if movement and step.shape == movement[-1].shape == (3, 3):
        movement[-1] = movement[-1] @ step
    else:
        movement.append(step)


def move_points(movement: list[Tensor], points: Tensor, size: tuple[int, int]) -> Tensor:
    """Points ``[n, 2]``, float64 ``(x, y)`` in pixels from the upper left corner, where the image's content goes."""
    half = points.new_tensor([size[1] / 2, size[0] / 2])
    points = points - half
    for step in movement:
        if step.shape == (3, 3):
            mapped = torch.cat([points, torch.ones_like(points[:, :1])], 1) @ torch.linalg.inv(step).T
            points = mapped[:, :2] / mapped[:, 2:]
        else:
            source = step.reshape(-1, 2)
            nearest = torch.cdist(points, source).argmin(1)
            y, x = nearest // size[1] + 0.5, nearest % size[1] + 0.5
            points = torch.stack([x, y], 1) - half + points - source[nearest]
    return points + half


def move_boxes(movement: list[Tensor], boxes: Any, size: tuple[int, int]) -> Any:
    """Upright ``BoundingBoxes`` about the moved ones, cut off at the border; one that leaves the image has no area."""
    upright = tv_tensors.BoundingBoxFormat.XYXY
    corners = convert_bounding_box_format(boxes.as_subclass(Tensor), boxes.format, upright).reshape(-1, 4).double()
    for step in movement:
        if step.shape == (3, 3):
            quads = corners[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 2)
            moved = move_points([step], quads, size).view(-1, 4, 2)
            corners = torch.cat([moved.amin(1), moved.amax(1)], 1)
        else:
            corners = torch.stack([box_about(step, corner, size) for corner in corners]) if len(corners) else corners
    limit = corners.new_tensor([size[1], size[0], size[1], size[0]])
    corners = torch.minimum(corners.clamp(min=0), limit).to(boxes.dtype)
    moved = convert_bounding_box_format(corners, upright, boxes.format).view(boxes.shape)
    return tv_tensors.wrap(moved, like=boxes)


def box_about(field: Tensor, box: Tensor, size: tuple[int, int]) -> Tensor:
    """The box about all output pixels that show something from inside `box`."""
    x, y = field[..., 0] + size[1] / 2, field[..., 1] + size[0] / 2
    rows, columns = ((x >= box[0]) & (x <= box[2]) & (y >= box[1]) & (y <= box[3])).nonzero(as_tuple=True)
    if not len(rows):
        return torch.zeros_like(box)
    return torch.stack([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]).to(box)


def move_mask(movement: list[Tensor], mask: Tensor, size: tuple[int, int]) -> Tensor:
    """Masks ``[..., H, W]`` of any dtype, sampled at the nearest pixel; 0 comes in from outside."""
    moved = mask.reshape(1, -1, *size).double()
    for step in movement:
        if step.shape == (3, 3):
            grid = map_grid(moved, step[None].to(mask.device), projective=True)
        else:
            grid = field_grid(moved, step[None].to(mask.device))
        moved = grid_sample(moved, grid, mode="nearest", padding_mode="zeros", align_corners=False)
    return moved.view_as(mask).to(mask.dtype)
