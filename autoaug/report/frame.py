"""What all pages share: the templates, the frame around a page, and Plotly."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs, get_plotlyjs_version

from autoaug.version import __version__


@cache
def environment(autoescape: bool = True) -> Environment:
    """The templates; what they are given is escaped, unless they are no HTML, and what they lack is an error."""
    loader = PackageLoader("autoaug.report")
    return Environment(loader=loader, autoescape=autoescape, undefined=StrictUndefined, keep_trailing_newline=True)  # noqa: S701


def render(template: str, plotly: Markup, **given: Any) -> str:
    """A page, or a part of one, with Plotly as `plotly_script` has it."""
    return environment().get_template(template).render(version=__version__, plotly=plotly, **given)


def plotly_script(cdn: bool) -> Markup:
    """Plotly itself, 5 MB; or where a page with a network finds it."""
    if cdn:
        source = f"https://cdn.plot.ly/plotly-{get_plotlyjs_version()}.min.js"
        return Markup('<script src="{}" charset="utf-8"></script>').format(source)
    # Inert, so that the text can be read and scrolled at once; page.js runs it then.
    return Markup('<script type="text/plain" data-plotly>{}</script>').format(Markup(get_plotlyjs()))  # noqa: S704 (its own script)


#: For pages without charts.
NO_PLOTLY = Markup("")
