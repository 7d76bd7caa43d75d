"""Boxes, masks and key-points follow their image: what a plan does to places, done to ``tv_tensors``."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import grid_sample
from torchvision import tv_tensors
from torchvision.transforms.v2.functional import convert_bounding_box_format

from autoaug.errors import OptionError
from autoaug.operators import get_operator
from autoaug.plan import Plan
from autoaug.warping import field_grid, map_grid

_Format = tv_tensors.BoundingBoxFormat
_KeyPoints: Any = getattr(tv_tensors, "KeyPoints", ())  # not in older versions of torchvision

#: Where one sample's pixels go: maps ``[3, 3]`` and fields ``[H, W, 2]``, each from output to input positions.
Movement = list[Tensor]


def move_targets(plan: Plan, index: int, targets: Any, size: tuple[int, int]) -> Any:
    """`targets` moved as the plan moves sample `index` of ``size`` (height, width): in nested lists, tuples and dicts,
    ``tv_tensors`` of boxes (cut off at the border), masks (nearest pixel) and key-points; all else as it is.

    Raises:
        OptionError: the plan blends or mixes images, or boxes are rotated.
    """
    movement = movement_of(plan, index, size)

    def move(target: Any) -> Any:
        if isinstance(target, dict):
            return type(target)((key, move(value)) for key, value in target.items())
        if isinstance(target, list | tuple):
            return type(target)(move(value) for value in target)
        if isinstance(target, tv_tensors.BoundingBoxes):
            return move_boxes(movement, target, size)
        if isinstance(target, tv_tensors.Mask):
            return tv_tensors.wrap(move_mask(movement, target.as_subclass(Tensor), size), like=target)
        if isinstance(target, _KeyPoints):
            points = target.as_subclass(Tensor)
            moved = move_points(movement, points.reshape(-1, 2).double(), size).to(points.dtype)
            return tv_tensors.wrap(moved.view_as(points), like=target)
        return target

    return move(targets)


def movement_of(plan: Plan, index: int, size: tuple[int, int]) -> Movement:
    """The warps and fields of one sample, consecutive warps as one."""
    if plan.blend is not None or (plan.mode is not None and int(plan.mode[index]) > 0):
        raise OptionError("boxes, masks and key-points cannot follow an image that is mixed or blended with another")
    movement: Movement = []
    steps = zip(plan.choice[:, index], plan.magnitude[:, index], plan.draws[:, index], strict=True)
    for choice, magnitude, draws in steps:
        if choice < 0:
            continue
        operator = get_operator(plan.operators[int(choice)])
        if operator.kind not in {"warp", "projection", "field"}:
            continue
        value = (magnitude.detach().double() * operator.limit)[None]
        step = operator.function(value, draws[None].double(), size)[0]
        if operator.kind != "field" and movement and movement[-1].shape == (3, 3):
            movement[-1] = movement[-1] @ step
        else:
            movement.append(step)
    return movement


def move_points(movement: Movement, points: Tensor, size: tuple[int, int]) -> Tensor:
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


def move_boxes(movement: Movement, boxes: tv_tensors.BoundingBoxes, size: tuple[int, int]) -> tv_tensors.BoundingBoxes:
    """The upright boxes about the moved ones, cut off at the border; a box that leaves the image has no area."""
    if boxes.format not in {_Format.XYXY, _Format.XYWH, _Format.CXCYWH}:
        raise OptionError(f"boxes in format {boxes.format.name} cannot be moved; convert them to XYXY")
    corners = convert_bounding_box_format(boxes.as_subclass(Tensor), boxes.format, _Format.XYXY).reshape(-1, 4).double()
    for step in movement:
        if step.shape == (3, 3):
            quads = corners[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 2)
            moved = move_points([step], quads, size).view(-1, 4, 2)
            corners = torch.cat([moved.amin(1), moved.amax(1)], 1)
        else:
            corners = torch.stack([_about(step, corner, size) for corner in corners]) if len(corners) else corners
    limit = corners.new_tensor([size[1], size[0], size[1], size[0]])
    corners = torch.minimum(corners.clamp(min=0), limit).to(boxes.dtype)
    moved = convert_bounding_box_format(corners, _Format.XYXY, boxes.format).view(boxes.shape)
    wrapped: tv_tensors.BoundingBoxes = tv_tensors.wrap(moved, like=boxes)
    return wrapped


def _about(field: Tensor, box: Tensor, size: tuple[int, int]) -> Tensor:
    """The box about all output pixels that show something from inside `box`."""
    x, y = field[..., 0] + size[1] / 2, field[..., 1] + size[0] / 2
    rows, columns = ((x >= box[0]) & (x <= box[2]) & (y >= box[1]) & (y <= box[3])).nonzero(as_tuple=True)
    if not len(rows):
        return torch.zeros_like(box)
    return torch.stack([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]).to(box)


def move_mask(movement: Movement, mask: Tensor, size: tuple[int, int]) -> Tensor:
    """Masks ``[..., H, W]`` of any dtype, sampled at the nearest pixel; 0 comes in from outside."""
    moved = mask.reshape(1, -1, *size).double()
    for step in movement:
        if step.shape == (3, 3):
            grid = map_grid(moved, step[None].to(mask.device), projective=True)
        else:
            grid = field_grid(moved, step[None].to(mask.device))
        moved = grid_sample(moved, grid, mode="nearest", padding_mode="zeros", align_corners=False)
    return moved.view_as(mask).to(mask.dtype)
