"""What all pages share: the templates and Plotly."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs, get_plotlyjs_version

from autoaug.version import __version__

#: Between the words of an operator's name.
_JOINT = re.compile(r"(?<=[a-z])(?=[A-Z])")


@cache
def environment(autoescape: bool = True) -> Environment:
    """The template environment. For HTML, values are escaped; a missing value is an error."""
    loader = PackageLoader("autoaug.report")
    made = Environment(loader=loader, autoescape=autoescape, undefined=StrictUndefined, keep_trailing_newline=True)  # noqa: S701
    made.filters["breakable"] = breakable
    return made


def breakable(text: str) -> Markup:
    """The text, escaped, where a line may end between the words of an operator's name, such as RandomResizedCrop."""
    return Markup("<wbr>").join(_JOINT.split(text))


def render(template: str, plotly: Markup, **given: Any) -> str:
    """Render a page, or a part of one, with the script from `plotly_script`."""
    return environment().get_template(template).render(version=__version__, plotly=plotly, **given)


def plotly_script(cdn: bool) -> Markup:
    """A script tag with Plotly itself (5 MB), or with its address on the network."""
    if cdn:
        source = f"https://cdn.plot.ly/plotly-{get_plotlyjs_version()}.min.js"
        return Markup('<script src="{}" charset="utf-8"></script>').format(source)
    # Inert at first, so that the text can be read and scrolled at once; page.js runs it later.
    return Markup('<script type="text/plain" data-plotly>{}</script>').format(Markup(get_plotlyjs()))  # noqa: S704 (its own script)


#: For pages without charts.
NO_PLOTLY = Markup("")
