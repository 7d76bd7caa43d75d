"""Random damage to files, drawn from a seed: to bytes, to lines of YAML, and to the tree of a document."""

from __future__ import annotations

import copy
import json
import random
from functools import cache
from typing import Any

import yaml

DEEP: Any = []
for _ in range(70):
    DEEP = [DEEP]

#: What stands where something else should.
ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    0.5,
    2.5,
    1e308,
    -1e-320,
    10**30,
    10**400,
    float("nan"),
    float("-inf"),
    "",
    "x",
    "1e-1",
    "0.5",
    "../../x",
    "<script>&amp;</script>",
    "\x1b[2J\n\u2028",
    "😀" * 3000,
    "none",
    [],
    {},
    [[]],
    [None],
    [0.5, 0.5],
    {"a": 1},
    DEEP,
)

#: The same in the words of YAML, as it stands in a file.
ODD_YAML = (
    "!!int 9z",
    "!!float x",
    '!!float ""',
    "!!binary aGVsbG8=",
    "!!timestamp x",
    "!!set {a, b}",
    "!!omap [a: 1]",
    "!!bool x",
    "!!python/name:os.system",
    "2020-01-01",
    "2020-99-99",
    "9" * 5000,
    "0x" + "f" * 5000,
    ":".join("1" * 500),
    ".nan",
    "-.inf",
    "1e-1",
    "1e5",
    ".5",
    "1_000",
    "0o17",
    "017",
    "on",
    "no",
    "~",
    "=",
    "<<",
    "*a",
    "&a [*a]",
    "&a x",
    '"\\UFFFFFFFF"',
    '"\\ud800"',
    "[" * 500,
    "{" * 500,
    "- " * 300,
    "? " * 300,
    "|",
    "[a, b",
    "{<<: 3}",
    "\t",
    "\0",
    "%YAML 9.9",
    "---",
    "# nothing",
)


def damaged_bytes(content: bytes, draw: random.Random) -> bytes:
    """Some bytes flipped, cut off, taken out, doubled or put in."""
    damaged = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 8))):
        at, size = draw.randrange(len(damaged) + 1), draw.choice((1, 2, 10, 100, 1000))
        match draw.randrange(5):
            case 0 if at < len(damaged):
                damaged[at] ^= 1 << draw.randrange(8)
            case 1:
                del damaged[at:]
            case 2:
                del damaged[at : at + size]
            case 3:
                damaged[at:at] = damaged[at : at + size]
            case _:
                damaged[at:at] = draw.choice((b"\xff", b"\0", b"\xef\xbb\xbf", b'"', b"}", b"[", draw.randbytes(size)))
    return bytes(damaged)


def damaged_yaml(content: bytes, draw: random.Random) -> bytes:
    """A line with another value, or doubled, or moved."""
    lines = content.decode().splitlines()
    at = draw.randrange(len(lines))
    match draw.randrange(4):
        case 0:
            lines.insert(draw.randrange(len(lines)), lines[at])
        case 1:
            lines[at] = " " * draw.randrange(6) + lines[at].lstrip()
        case _:
            key, colon, _ = lines[at].rpartition(": ")
            lines[at] = f"{key}{colon}{draw.choice(ODD_YAML)}" if colon else f"{lines[at]} {draw.choice(ODD_YAML)}"
    return "\n".join(lines).encode(errors="surrogatepass")


def damaged_tree(value: Any, draw: random.Random) -> Any:
    """A copy of a JSON document with one to three of its values changed, taken out, doubled or exchanged."""
    damaged = copy.deepcopy(value)
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        places = [(holder, key) for holder in _holders(damaged) for key in _keys(holder)]
        if not places:
            return damaged
        holder, key = draw.choice(places)
        match draw.randrange(6):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, list):
                holder.insert(draw.randrange(len(holder) + 1), holder[key])
            case 1:
                holder[str(draw.choice(ODD))] = holder.pop(key)
            case 2 if isinstance(holder[key], list):
                holder[key] = holder[key][: draw.randrange(len(holder[key]) + 1)]
            case 3 if isinstance(holder[key], int | float):
                holder[key] = draw.choice((-holder[key], holder[key] * 10, holder[key] + 1, str(holder[key])))
            case 4:
                other, name = draw.choice(places)
                if name in _keys(other):
                    holder[key] = copy.deepcopy(other[name])
            case _:
                holder[key] = copy.deepcopy(draw.choice(ODD))
    return damaged


def _holders(value: Any) -> list[Any]:
    """All mappings and lists of a document, itself among them."""
    holders, waiting = [], [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict | list):
            holders.append(one)
            waiting += one.values() if isinstance(one, dict) else one
    return holders


def _keys(holder: Any) -> list[Any]:
    return list(holder) if isinstance(holder, dict) else list(range(len(holder)))


def damaged_json(content: bytes, draw: random.Random) -> bytes:
    """A JSON document, damaged as a tree or in its bytes."""
    if draw.random() < 0.2:
        return damaged_bytes(content, draw)
    return json.dumps(damaged_tree(json.loads(content), draw), ensure_ascii=draw.random() < 0.5).encode()


@cache
def _parsed(content: bytes) -> Any:
    return yaml.safe_load(content)


def damaged_document(content: bytes, draw: random.Random) -> bytes:
    """A YAML document, damaged as a tree (written as JSON or YAML), in its lines, or in its bytes."""
    match draw.randrange(5):
        case 0:
            return damaged_bytes(content, draw)
        case 1 | 2:
            return damaged_yaml(content, draw)
        case 3:
            return json.dumps(damaged_tree(_parsed(content), draw)).encode()
        case _:
            # Of deep lists PyYAML's writer gives up before its reader.
            tree = damaged_tree(_parsed(content), draw)
            return json.dumps(tree).encode() if "[[[[" in json.dumps(tree) else yaml.safe_dump(tree).encode()


def damaged_lines(content: bytes, draw: random.Random) -> bytes:
    """A file of JSON lines with one line damaged, or damaged in its bytes."""
    if draw.random() < 0.2:
        return damaged_bytes(content, draw)
    lines = content.splitlines()
    at = draw.randrange(len(lines))
    lines[at] = damaged_json(lines[at], draw)
    return b"\n".join(lines) + b"\n"


def change(holder: Any, place: str, value: Any) -> None:
    """Give what stands at a place, such as ``candidates/0/mean``, another value; `KeyError` takes it away."""
    *path, last = (int(step) if step.isdigit() else step for step in place.split("/"))
    for step in path:
        holder = holder[step]
    if value is KeyError:
        del holder[last]
    else:
        holder[last] = value
