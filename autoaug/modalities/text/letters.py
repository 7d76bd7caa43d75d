"""Letters that are taken for each other. Exported modules contain this class if they need it."""

from __future__ import annotations


class Letters:
    """The neighbors of each key on a keyboard with the layout QWERTY, and what scanners take letters for; what they
    seldom mistake is left out.
    """

    keyboard = {  # noqa: RUF012 (never modified)
        **{"q": "wa", "w": "qes", "e": "wrd", "r": "etf", "t": "ryg", "y": "tuh", "u": "yij", "i": "uok", "o": "ipl"},
        **{"p": "ol", "a": "qsz", "s": "awdx", "d": "sefc", "f": "drgv", "g": "fthb", "h": "gyjn", "j": "hukm"},
        **{
            "k": "jil",
            "l": "kop",
            "z": "asx",
            "x": "zsdc",
            "c": "xdfv",
            "v": "cfgb",
            "b": "vghn",
            "n": "bhjm",
            "m": "njk",
        },
    }
    scanned = {  # noqa: RUF012 (likewise)
        **{
            "o": "0",
            "l": "1i",
            "i": "l1",
            "s": "5",
            "b": "6h",
            "g": "9q",
            "z": "2",
            "e": "c",
            "c": "e",
            "t": "f",
            "f": "t",
        },
        **{"h": "b", "m": "n", "n": "m", "u": "v", "v": "u", "r": "n", "a": "o", "q": "g", "y": "v", "d": "c"},
    }
