"""Load the user's own functions, named as ``module:function``, from an installed module or from a file in the working
directory. That directory is never put on the path: only the modules that the user names, and those they import, are
found there.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, chdir, suppress
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from autoaug.errors import OptionError, typed_line


class _NamedModules(MetaPathFinder):
    """Finds modules by their registered top-level names, each in its registered folder, and registers the modules in
    that folder that they import. It finds nothing else there, and never registers installed modules.
    """

    def __init__(self) -> None:
        self.folders: dict[str, Path] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        folder = self.folders.get(fullname.partition(".")[0])
        if folder is None:
            return None
        spec = PathFinder.find_spec(fullname, [str(folder)] if path is None else path, target)
        for beside in _imported(Path(spec.origin)) if spec is not None and spec.origin else ():
            if ((folder / beside).is_dir() or _files(beside, folder)) and _spec(beside) is None:
                self.folders[beside] = folder
        return spec


_named = _NamedModules()


def names_function(name: str) -> bool:
    """Whether `name` has the form of a user's function, ``module:function``; networks of libraries have it, too."""
    return ":" in name


def load_function(name: str, what: str) -> Callable[..., Any]:
    """Load the function `name`, given as ``module:function``. The module is installed, or a file or package in the
    working directory; it may import other modules from there by their plain names.

    Args:
        name: as the user gave it.
        what: the option it was given for, such as ``"--model"``; error messages begin with it.

    Raises:
        OptionError: `name` has another form, the function does not exist, its module cannot be imported, or two modules
            have its name.
    """
    module, _, function = name.partition(":")
    if not all(part.isidentifier() for part in (*module.split("."), function)):
        raise OptionError(f"{what} {name!r} must be module:function, such as mymodel:build or package.module:function")
    _note(module, Path.cwd(), what)
    try:
        with same_folder():
            loaded = importlib.import_module(module)
    except (Exception, SystemExit) as fault:  # a module may raise anything, or call sys.exit
        raise OptionError(f"{what} {name} cannot be imported: {_why(module, fault)}") from None
    found: Callable[..., Any] | None = getattr(loaded, function, None)
    if not callable(found):
        where = getattr(loaded, "__file__", module)
        fault_there = f"has no function {function!r}" if found is None else f"has {function!r}, which is not callable"
        raise OptionError(f"{what} {name}: {where} {fault_there}")
    return found


def same_folder() -> AbstractContextManager[object]:
    """A context for code of the user: the working directory, from which a run's paths count, is the same after it."""
    return chdir(Path.cwd())


def _why(module: str, fault: BaseException) -> str:
    if isinstance(fault, ModuleNotFoundError) and f"{module}.".startswith(f"{fault.name}."):
        return f"module {fault.name!r} is neither installed nor in {Path.cwd()}"
    return typed_line(fault)


def _note(module: str, folder: Path, what: str) -> None:
    """If `module` is in `folder`, register it so that it is found there, with the modules there that it imports."""
    top, files = module.partition(".")[0], _files(module, folder)
    if not files:
        return
    known = _spec(top)
    if known is None:
        if _named not in sys.meta_path:
            sys.meta_path.insert(0, _named)
        importlib.invalidate_caches()
        _named.folders[top] = folder
    elif not {folder / top, *files} & {Path(place) for place in (known.origin, *_locations(known)) if place}:
        raise OptionError(
            f"{what} {module}: there are two modules {top!r}, {files[0]} and "
            f"{known.origin or _locations(known)[0]}; rename the file"
        )


def _files(module: str, folder: Path) -> list[Path]:
    """The files that run when `module` is imported from `folder`."""
    parts = module.split(".")
    places = [folder.joinpath(*parts[: n + 1]) for n in range(len(parts))]
    found = [[file for file in (place / "__init__.py", place.with_suffix(".py")) if file.is_file()] for place in places]
    return [files[0] for files in found if files]


def _spec(top: str) -> ModuleSpec | None:
    """The spec of a top-level module, imported or not; None if there is no such module."""
    return sys.modules[top].__spec__ if top in sys.modules else importlib.util.find_spec(top)


def _locations(spec: ModuleSpec) -> list[str]:
    return list(spec.submodule_search_locations or ())


def _imported(file: Path) -> set[str]:
    """The top-level names of the modules that `file` imports."""
    names: set[str] = set()
    with suppress(OSError, SyntaxError, ValueError):  # the import itself will report the error
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    return names


def code_digest(function: Callable[..., Any], state: bool = True) -> str:
    """12 hex digits of what a function does: its code, and the functions, numbers and texts that it was made with. The
    data that it was made with and the functions that it calls by a global name are not looked at. Without `state`, what
    a call can change is not either: numbers and texts of its closures, and attributes of an object that is called.
    """
    return hashlib.sha256(repr(_content(function, state, ())).encode()).hexdigest()[:12]


def _content(value: Any, state: bool, within: tuple[int, ...]) -> Any:
    """What identifies a value in every process that has the same Python version; `within` what it is met, by identity,
    since a function may capture itself.
    """
    if isinstance(value, bool | int | float | complex | str | bytes | Path | None):
        return repr(value)
    if id(value) in within:
        return "itself"
    return type(value).__qualname__, [_content(part, state, (*within, id(value))) for part in _parts(value, state)]


def _parts(value: Any, state: bool) -> Sequence[Any]:
    """The parts of a value that say what it does; none for data."""
    if isinstance(value, FunctionType):
        cells = [cell for cell in value.__closure__ or () if cell != CellType()]  # some may not be filled yet
        captured = [cell.cell_contents for cell in cells if state or isinstance(cell.cell_contents, FunctionType)]
        defaults = value.__defaults__, *(value.__kwdefaults__ or {}).items()
        return value.__code__, *defaults, *captured
    if isinstance(value, CodeType):
        return value.co_code, *value.co_names, *value.co_consts
    if isinstance(value, functools.partial):
        return value.func, value.args, *value.keywords.items()
    if isinstance(value, MethodType):
        return value.__func__, value.__self__
    if isinstance(value, tuple):
        return value
    own_call = value.__call__ if callable(value) else None
    if isinstance(own_call, MethodType) and hasattr(value, "__dict__"):  # an object that is called like a function
        return own_call.__func__, *(vars(value).items() if state else ())
    return ()
