"""The work of ``scripts/bench_gpu``, which describes it."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

import kornia
import torch
import torchvision
from torch import Tensor

from autoaug.engine.apply import apply_plan
from autoaug.engine.execute import mix_labels
from autoaug.engine.plan import Plan, draw_plan
from autoaug.modalities.image.models import ResNet9
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Policy
from benchmarks.gpu_cases import POLICIES, Clock, Parts, for_each, line, pictures, plans_of, policy_of

#: Those that are timed.
TIMED = ("flip-crop", "trivialaugment-wide", "randaugment", "augmix")
SIZES = (32, 64, 224)
BATCH = 256


def agreement(device: str, clock: Clock) -> Parts:
    """How far the results of every operator and policy are from those on the CPU: the share of values that differ by
    more than 1/255, and the largest difference; for images in color and gray, floats and bytes.
    """
    made: Parts = {}
    plans = plans_of(24)
    for channels, side, kind in ((3, 32, torch.float32), (1, 28, torch.uint8), (3, 61, torch.float32)):
        images = pictures(24, channels, side, "cpu")
        images = (images * 255).byte() if kind == torch.uint8 else images

        def differences(name: str, images: Tensor = images, kind: torch.dtype = kind) -> dict[str, float]:
            expected, got = apply_plan(plans[name], images), apply_plan(plans[name], images.to(device)).cpu()
            away = (got.double() - expected.double()).abs() / (255 if kind == torch.uint8 else 1)
            above = (away > 1 / 255 + 1e-6).double().mean()
            return {"above 1/255": float(above), "largest": float(away.max())}

        cases = for_each(plans, clock, differences)
        made |= {f"{name} {channels}x{side} {str(kind)[6:]}": facts for name, facts in cases.items()}
    shares = {name: facts.get("above 1/255", 1.0) for name, facts in made.items() if isinstance(facts, dict)}
    bad = {name: made[name] for name, share in shares.items() if share > 0.01}
    return {"cases tried": len(shares), "above 1/255 in more than 1 % of values": bad, "cases": made}


def gradient(plan: Plan, images: Tensor) -> Tensor:
    """The gradient of the images with the plan applied."""
    leaf = images.clone().requires_grad_()
    (found,) = torch.autograd.grad(apply_plan(plan, leaf).square().sum(), leaf)
    return found


def gradients_agree(device: str, clock: Clock) -> Parts:
    """The relative distance of the gradients from those on the CPU."""
    images, plans = pictures(24, 3, 32, "cpu"), plans_of(24)

    def distance(name: str) -> float:
        expected, got = gradient(plans[name], images), gradient(plans[name], images.to(device)).cpu()
        return float((got - expected).norm() / expected.norm().clamp(min=1e-12))

    made = for_each(plans, clock, distance)
    far = {name: found for name, found in made.items() if not isinstance(found, float) or found > 1e-3}
    return {"farther than 1e-3": far, "cases": made}


@contextmanager
def no_waits(device: str) -> Iterator[None]:
    """An error where the host waits for the GPU."""
    if device == "cpu":
        yield
        return
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def wait(device: str) -> None:
    """Wait for the device."""
    if device != "cpu":
        torch.cuda.synchronize()


def waits(device: str, clock: Clock) -> Parts:
    """What waits for the GPU, forward, backward, and in mixing labels: the error of each, in one line."""
    images, labels = pictures(64, 3, 32, device), torch.eye(10).repeat(7, 1)[:64].to(device)
    plans = plans_of(64)

    def found(name: str) -> dict[str, str]:
        plan, faults = plans[name], {}
        tries: dict[str, Callable[[], object]] = {
            "forward": lambda: apply_plan(plan, images),
            "backward": lambda: gradient(plan, images),
            "labels": lambda: mix_labels(plan, labels, images),
        }
        for what, attempt in tries.items():
            attempt()  # constants and memory are made the first time
            try:
                with no_waits(device):
                    attempt()
            except Exception as fault:
                where = traceback.extract_tb(fault.__traceback__)[-1]
                faults[what] = f"{line(fault)} ({where.filename.rpartition('/')[2]}:{where.lineno})"
        return faults

    made = for_each(plans, clock, found)
    return {"tried": len(made), "found": {name: faults for name, faults in made.items() if faults}}


def counts(device: str, clock: Clock) -> Parts:
    """Copies, kernels and synchronizations of one batch, as PyTorch's profiler sees them."""
    from torch.profiler import ProfilerActivity, profile

    if device == "cpu":
        return {"left out": "needs a GPU"}
    made: Parts = {}
    for size in (32, 224):
        images = pictures(BATCH, 3, size, device)

        def counted(name: str, images: Tensor = images) -> Parts:
            run = drawn_run(name, images)
            run()
            run()
            wait(device)
            with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as record:
                run()
                wait(device)
            events = record.events() or []
            on_device = [event for event in events if str(event.device_type).endswith("CUDA")]
            copies = Counter(event.name for event in on_device if event.name.startswith("Mem"))
            kernels = [event for event in on_device if not event.name.startswith(("Mem", "aten::"))]
            return {
                "copies": dict(copies),
                "kernels": len(kernels),
                "stream synchronizations": sum(event.name == "cudaStreamSynchronize" for event in events),
                "operators": sum(event.name.startswith("aten::") for event in events),
                "milliseconds of kernels": sum(event.time_range.elapsed_us() for event in kernels) / 1e3,
            }

        made |= {f"{name} {size}": facts for name, facts in for_each(POLICIES, clock, counted).items()}
    return made


def drawn_run(name: str, images: Tensor) -> Callable[[], object]:
    """Draws a plan of the policy and applies it."""
    policy, draw, out = policy_of(name), torch.Generator().manual_seed(0), torch.empty_like(images)
    return lambda: apply_plan(draw_plan(policy, len(images), draw, "image"), images, out=out, check=False)


def kornia_runs(images: Tensor) -> dict[str, Callable[[], object]]:
    """Kornia's policies, which draw once per batch."""
    from kornia.augmentation.auto import RandAugment, TrivialAugment

    rand, trivial = RandAugment(n=2, m=10), TrivialAugment()
    return {
        "Kornia RandAugment (per batch)": lambda: rand(images),
        "Kornia TrivialAugment (per batch)": lambda: trivial(images),
    }


def torchvision_runs(images: Tensor) -> dict[str, Callable[[], object]]:
    """Torchvision's policies on bytes: drawn once per batch, or for one image after another."""
    from torchvision.transforms import v2

    levels = (images * 255).round().byte()
    runs: dict[str, Callable[[], object]] = {}
    for name, transform in {
        "RandAugment": v2.RandAugment(interpolation=v2.InterpolationMode.BILINEAR),
        "TrivialAugmentWide": v2.TrivialAugmentWide(interpolation=v2.InterpolationMode.BILINEAR),
        "AugMix": v2.AugMix(interpolation=v2.InterpolationMode.BILINEAR),
    }.items():
        runs[f"torchvision {name} (per batch)"] = lambda t=transform: t(levels)  # type: ignore[misc]
        if name != "AugMix":
            runs[f"torchvision {name} (per image)"] = lambda t=transform: [t(one) for one in levels]  # type: ignore[misc]
    return runs


def own_runs(images: Tensor) -> dict[str, Callable[[], object]]:
    """The engine with the timed policies, forward, and with the gradient in the images."""
    runs: dict[str, Callable[[], object]] = {}
    for name in TIMED:
        runs[f"autoaug {name}"] = drawn_run(name, images)
    plan = draw_plan(load_policy("randaugment"), len(images), torch.Generator().manual_seed(0), "image")
    runs["autoaug randaugment, forward and backward"] = lambda: gradient(plan, images)
    runs["copy"] = images.clone
    return runs


def rate(run: Callable[[], object], device: str, n: int, seconds: float) -> dict[str, float]:
    """Images per second, and how long the host needs to hand a batch over, in milliseconds: medians over blocks of up
    to ten batches, after each of which the host waits for the device.
    """
    begun = time.perf_counter()
    run()
    wait(device)
    if time.perf_counter() - begun < seconds / 3:
        run()
        wait(device)
    times, handed = list[float](), list[float]()
    end = time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        begun, block = time.perf_counter(), 0
        while block < 10 and (not block or time.perf_counter() < end):
            run()
            block += 1
        handed.append((time.perf_counter() - begun) / block)
        wait(device)
        times.append((time.perf_counter() - begun) / block)
    return {"images per second": n / median(times), "host ms per batch": 1e3 * median(handed), "blocks": len(times)}


def speed(device: str, clock: Clock, seconds: float = 0.6) -> Parts:
    """Rates of the engine and of others, in batches of 256 at three sizes."""
    made: Parts = {}
    for size in SIZES:
        images = pictures(BATCH if device != "cpu" else 16, 3, size, device)
        for make in (own_runs, kornia_runs, torchvision_runs):
            if clock.left() < 5:
                return made | {"left out": "the time was over"}
            try:
                runs = make(images)
            except Exception as fault:
                made[f"{make.__name__} {size}"] = {"error": line(fault)}
                continue
            for name, run in runs.items():
                try:
                    made[f"{name} {size}"] = rate(run, device, len(images), seconds)
                except Exception as fault:
                    made[f"{name} {size}"] = {"error": line(fault)}
    return made


def training(device: str, clock: Clock) -> Parts:
    """Images per second of training steps of a ResNet-9 on images that lie on the device as bytes, at 32 pixels."""
    n = BATCH if device != "cpu" else 16
    stored = (pictures(4 * n, 3, 32, device) * 255).byte()
    labels = torch.arange(4 * n, device=device) % 10
    network = ResNet9(3, 10, (32, 32), width=64 if device != "cpu" else 8).to(device)
    network = network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    draw, order = torch.Generator().manual_seed(0), torch.randperm(4 * n, device=device)

    def step(policy: Policy | None) -> None:
        rows = order[:n]
        images, soft = stored[rows], torch.nn.functional.one_hot(labels[rows], 10).float()
        values = images.float() / 255
        if policy is not None:
            plan = draw_plan(policy, n, draw, "image")
            values, soft = apply_plan(plan, values, check=False), mix_labels(plan, soft, values)
        with torch.autocast(device, torch.bfloat16):
            logits = network(values.contiguous(memory_format=torch.channels_last))
        loss = torch.nn.functional.cross_entropy(logits.float(), soft)
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimizer.step()

    made: Parts = {"parameters": sum(p.numel() for p in network.parameters())}
    for name in ("without augmentation", *POLICIES[1:]):
        if clock.left() < 2:
            return made | {"left out": "the time was over"}
        policy = None if name == "without augmentation" else policy_of(name)
        made[name] = rate(lambda policy=policy: step(policy), device, n, 1.5)  # type: ignore[misc]
    return made


def autocast(device: str, clock: Clock) -> Parts:
    """How far results under autocast are from those without."""
    images, plans = pictures(24, 3, 32, device), plans_of(24)

    def away(name: str) -> float:
        plain = apply_plan(plans[name], images)
        with torch.autocast(device, torch.bfloat16):
            return float((apply_plan(plans[name], images) - plain).abs().max())

    made = for_each(plans, clock, away)
    return {"tried": len(made), "differ": {name: found for name, found in made.items() if found != 0}}


def repeats(device: str, clock: Clock) -> Parts:
    """Whose gradients differ when they are computed again, by default and with deterministic algorithms."""
    images, plans = pictures(24, 3, 32, device), plans_of(24)

    def differs(name: str) -> bool:
        first = gradient(plans[name], images)
        return any(not torch.equal(first, gradient(plans[name], images)) for _ in range(2))

    made: Parts = {}
    for way in (False, True):
        torch.use_deterministic_algorithms(way, warn_only=True)
        found = for_each(plans, clock, differs)
        made["deterministic algorithms" if way else "default"] = {name: one for name, one in found.items() if one}
    torch.use_deterministic_algorithms(False)
    return made


def memory(device: str, clock: Clock) -> Parts:
    """The most memory that a batch takes beyond its own, in units of it."""
    if device == "cpu":
        return {"left out": "needs a GPU"}
    images = pictures(BATCH, 3, 224, device)

    def most(name: str) -> float:
        run = drawn_run(name, images)
        run()
        wait(device)
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        run()
        wait(device)
        return float((torch.cuda.max_memory_allocated() - before) / images.nbytes)

    return for_each(TIMED, clock, most)


def machine(device: str) -> Parts:
    """The machine and the versions."""
    facts: Parts = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "kornia": kornia.__version__,
        "processor": f"{platform.machine()}, {os.cpu_count()} cores",
    }
    if device != "cpu":
        facts |= {"gpu": torch.cuda.get_device_name(), "cuda": torch.version.cuda}
    return facts


PARTS: dict[str, Callable[[str, Clock], Parts]] = {
    "agreement": agreement,
    "waits": waits,
    "counts": counts,
    "autocast": autocast,
    "training": training,
    "speed": speed,
    "gradients": gradients_agree,
    "memory": memory,
    "repeats": repeats,
}


def main(options: argparse.Namespace) -> None:
    """Run all parts."""
    torch.manual_seed(0)
    clock, begun = Clock(options.seconds), time.perf_counter()
    results: Parts = {"command": " ".join(["scripts/bench_gpu", *sys.argv[1:]]), "commit": options.commit}
    results["machine"] = machine(options.device)
    for name in options.parts.split(",") if options.parts else PARTS:
        start = time.perf_counter()
        try:
            results[name] = PARTS[name](options.device, clock)
        except Exception as fault:
            results[name] = {"error": line(fault), "traceback": traceback.format_exc()[-2000:]}
        results.setdefault("seconds", {})[name] = round(time.perf_counter() - start, 1)
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        print(name, json.dumps(short(results[name]))[:1500], flush=True)
    print(f"{time.perf_counter() - begun:.0f} s", flush=True)


def short(part: Parts) -> Parts:
    """What is printed of a part."""
    kept = {key: value for key, value in part.items() if key not in ("cases", "traceback")}
    return {
        k: round(v["images per second"]) if isinstance(v, dict) and "images per second" in v else v
        for k, v in kept.items()
    }
