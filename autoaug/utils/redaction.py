"""Hide secrets in URLs before they are written or shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

_HIDDEN = "***"
#: Shorter secrets are replaced only as whole words, because they may also occur within other words.
_LEAST_LENGTH = 6
#: A URL within a text: anything up to an @ (a password may contain any character), then up to a character that is
#: unlikely in a URL.
_URL = re.compile(r"[A-Za-z][\w+.-]*://(?:\S*@)?[^\s\"'<>)\]]*[^\s\"'<>)\],.:;]")


def redacted(url: str) -> str:
    """`url` with the password, a user name without password (which may be a token) and all query values hidden. If its
    parts cannot be told apart, all that follows the scheme is hidden. Text that is not a URL is returned unchanged.

    >>> redacted("postgresql://me:secret@host/studies?sslpassword=secret")
    'postgresql://me:***@host/studies?sslpassword=***'
    """
    option, equals, value = url.partition("=")
    if equals and option.startswith("--"):
        return f"{option}={redacted(value)}"
    scheme, mark, _ = url.partition("://")
    if not mark:
        return url
    parsed = parse_url(url)
    if parsed is None:
        return f"{scheme}://{_HIDDEN}"
    if not (parsed.username or parsed.password or "?" in url):
        return url
    user = f"{parsed.username}:{_HIDDEN}@" if parsed.password else f"{_HIDDEN}@" if parsed.username else ""
    place = type(parsed).create(parsed.drivername, host=parsed.host, port=parsed.port, database=parsed.database)
    query = "&".join(f"{key}={_HIDDEN}" for key in parsed.query)
    return place.render_as_string().replace("://", f"://{user}", 1) + (f"?{query}" if query else "")


def parse_url(url: str) -> URL | None:
    """Parse `url`; None if it is not a URL, or its parts are ambiguous: an ``@`` in a password that is not written
    ``%40``, or options without a ``?``, end up in the host or the database name.
    """
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        return None
    is_file = parsed.drivername.lower().startswith("sqlite")  # a path may contain anything, and there is no password
    return None if not is_file and set("@#&;=") & set(f"{parsed.host}{parsed.database}") else parsed


def without_secrets(text: str, *urls: str) -> str:
    """`text`, such as a library's error message, with the secrets of `urls` hidden, and all other URLs `redacted`.
    If one of `urls` cannot be parsed, the whole text is hidden.
    """
    for url in urls:
        parsed = parse_url(url)
        if parsed is None and "://" in url:
            return _HIDDEN
        text = text.replace(url, redacted(url))
        for secret in sorted(_secrets(url, parsed) if parsed else (), key=len, reverse=True):
            alone = len(secret) < _LEAST_LENGTH
            text = re.sub(rf"(?<![\w.]){re.escape(secret)}(?!\w)" if alone else re.escape(secret), _HIDDEN, text)
    return _URL.sub(lambda match: redacted(match[0]), text)


def _secrets(url: str, parsed: URL) -> set[str]:
    """The secrets in `url`, in plain form and in the encodings in which they may be written."""
    values = [value for many in parsed.query.values() for value in ([many] if isinstance(many, str) else many)]
    secrets = [str(secret) for secret in (parsed.password or parsed.username, *values) if secret]
    written = re.findall(r"=([^&]+)", url.partition("?")[2]) + re.findall(r"://[^:/@]*:([^@]+)@", url)
    return {form for s in secrets for form in (s, quote(s, ""), quote(s), quote_plus(s), repr(s)[1:-1])} | set(written)
