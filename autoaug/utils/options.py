"""Options declared once, in a frozen record; the command line, the Python signature and the help follow from it."""

# No `from __future__ import annotations` here or in modules with records: the annotations are evaluated.
import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import Field, dataclass, fields
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, ParamSpec, TypeVar, Union, get_args, get_origin

from autoaug.errors import OptionError, UnknownName

#: The default heading of options.
OPTIONS = "Options"

P = ParamSpec("P")
Record = TypeVar("Record", bound="Options")
Result = TypeVar("Result")
Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Option:
    """Marks a field, in its annotation, as an option of the command line.

    Args:
        help: the help text.
        panel: the heading under which the command line lists it.
        flag: its name on the command line, such as ``--samples``, if different from the field's name.
        is_argument: whether it is a positional argument.
        check: called with the option's name, without dashes, and a value other than None; raises `OptionError` if it
            cannot be used.
    """

    help: str
    panel: str = OPTIONS
    flag: str = ""
    is_argument: bool = False
    check: Callable[[str, Any], object] | None = None


@dataclass(frozen=True, kw_only=True)
class Options:
    """Base of option records. NumPy numbers become Python numbers, and sequences become tuples; a text where several
    are meant is one of them.

    Raises:
        OptionError: a value is of another type than its field, or not one of a fixed set of choices, or what the
            option's own check refuses.
    """

    def __post_init__(self) -> None:
        """Normalize and check every value."""
        for field in fields(self):
            kind, value = type_of(field), getattr(self, field.name)
            if get_origin(kind) is Sequence:
                value = _several(field, value)
            elif callable(getattr(value, "item", None)):  # a NumPy number
                value = value.item()
            object.__setattr__(self, field.name, value)
            for one in members_of(kind):
                if get_origin(one) is Literal and value is not None:
                    one_of(flag_of(field).removeprefix("--"), value, get_args(one))
            _check_type(field, kind, value)
            option = option_of(field)
            if option is not None and option.check is not None and value is not None:
                option.check(flag_of(field).removeprefix("--"), value)


#: What a value of each type is called.
_WORDS: dict[type, str] = {
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    str: "text",
    Path: "a path",
    NoneType: "None",
}


def _several(field: "Field[Any]", value: Any) -> tuple[Any, ...]:
    if value is None or isinstance(value, str):
        return (value,) if value else ()
    if not isinstance(value, Iterable):
        raise OptionError(f"{flag_of(field)} {value!r} must be a list")
    return tuple(value)


def _check_type(field: "Field[Any]", kind: Any, value: Any) -> None:
    """Raise `OptionError` if the value is none of a field's types; types other than plain ones are not checked."""
    types = members_of(kind)
    if not set(types) <= set(_WORDS):
        return
    is_number = float in types and isinstance(value, int) and not isinstance(value, bool)
    if not is_number and type(value) not in types and not (Path in types and isinstance(value, Path)):
        words = " or ".join(_WORDS[one] for one in types if one is not NoneType)
        raise OptionError(f"{flag_of(field)} {value!r} must be {words}")


def one_of(name: str, value: str, choices: Sequence[str]) -> str:
    """The value itself; raises `OptionError` if it is not one of `choices`."""
    if value not in choices:
        raise OptionError(f"--{name} {value!r} must be one of: {', '.join(choices)}")
    return value


def option_of(field: "Field[Any]") -> Option | None:
    """The command-line option of a field; None if it is only for Python."""
    return next((word for word in get_args(field.type)[1:] if isinstance(word, Option)), None)


def flag_of(field: "Field[Any]") -> str:
    """The name of an option on the command line; a switch that is on by default also has a ``--no-`` form."""
    option = option_of(field)
    return (option and option.flag) or f"--{field.name.replace('_', '-')}"


def type_of(field: "Field[Any]") -> Any:
    """The type of a field, without other annotations."""
    return get_args(field.type)[0] if get_origin(field.type) is Annotated else field.type


def members_of(kind: Any) -> tuple[Any, ...]:
    """The members of a union type; for any other type, only the type itself."""
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def takes(
    record: Callable[P, Record], what: str = "option"
) -> Callable[[Callable[[Record], Result]], Callable[P, Result]]:
    """Let a function that takes a record be called with the record's fields as keyword arguments. Editors, type
    checkers and ``help()`` show each field with its default and its help text.

    Args:
        record: a subclass of `Options`.
        what: the word for a field in the error about an unknown one.
    """
    shown: Any = record
    known = [field.name for field in fields(shown)]

    def wrap(function: Callable[[Record], Result]) -> Callable[P, Result]:
        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> Result:
            for name in kwargs:
                if name not in known:
                    raise UnknownName(what, name, known)
            return function(record(*args, **kwargs))

        return shows(shown)(call)

    return wrap


def shows(record: type[Options]) -> Callable[[Function], Function]:
    """Make ``help()`` and `inspect.signature` show the fields of the record as the parameters of a function."""
    places = inspect.signature(record).parameters
    types = {field.name: type_of(field) for field in fields(record)}
    parameters = [place.replace(annotation=types[name]) for name, place in places.items()]
    helps = [f"    {field.name}: {option.help}" for field in fields(record) if (option := option_of(field))]

    def wrap(function: Function) -> Function:
        shown: Any = function
        returned = function.__annotations__.get("return")
        shown.__signature__ = inspect.Signature(parameters, return_annotation=returned)
        shown.__annotations__ = {**types, "return": returned}
        shown.__doc__ = "\n".join([inspect.getdoc(function) or "", "", "Keyword Args:", *helps])
        return function

    return wrap
