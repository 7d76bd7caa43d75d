"""Operators on texts beside a plain loop of EDA's definitions and nlpaug, for ``scripts/bench_modalities``."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

import torch

from autoaug.modalities.text.lexicon import all_groups
from autoaug.modalities.text.thesaurus import synonyms
from autoaug.modalities.text.tokens import as_rows, tokenized
from autoaug.modalities.text.words import FunctionWords
from autoaug.policy.models import Operation, Policy, in_turn

#: The share of the words that change, and how many texts of 20 words are a batch for each of the usual batch.
SHARE, TIMES = 0.1, 16
_TEXTS = (
    "The company said prices rose quickly last year and analysts think that the new plan could help them grow again.",
    "People who bought the small house near the old market were happy because the price was quite low this time.",
)

#: Changes the words of a text.
Edit = Callable[[list[str]], list[str]]
#: An augmenter of nlpaug, by its module, its name and its arguments.
_Theirs = tuple[str, str, dict[str, Any]]

_WORDS: dict[str, Any] = {"aug_p": SHARE, "aug_max": None}
_LETTERS: dict[str, Any] = {"aug_word_p": SHARE, "aug_char_max": 1, "aug_word_max": None, "min_char": 4}


def _delete(words: list[str]) -> list[str]:
    left = [word for word in words if random.random() > SHARE]
    return left or [random.choice(words)]


def _swap(words: list[str]) -> list[str]:
    made = words.copy()
    for _ in range(max(1, int(SHARE * len(words)))):
        i, j = random.sample(range(len(words)), 2)
        made[i], made[j] = made[j], made[i]
    return made


def _replacing() -> Edit:
    known = synonyms(all_groups())

    def replace(words: list[str]) -> list[str]:
        left = list({word for word in words if word.lower() not in FunctionWords.common})
        random.shuffle(left)
        made, done = words, 0
        for word in left:
            if others := known.get(word.lower()):
                other = random.choice(others)
                made = [other if one == word else one for one in made]
                done += 1
            if done >= max(1, int(SHARE * len(words))):
                break
        return made

    return replace


#: What runs beside which steps of a plain loop of EDA, and which augmenters of nlpaug; none where it has none that
#: works without downloads.
TEXTS: Mapping[tuple[str, ...], tuple[tuple[Callable[[], Edit], ...], tuple[_Theirs, ...]]] = {
    ("WordDeletion",): ((lambda: _delete,), (("word", "RandomWordAug", {"action": "delete", **_WORDS}),)),
    ("WordSwap",): ((lambda: _swap,), (("word", "RandomWordAug", {"action": "swap", **_WORDS}),)),
    ("SynonymReplacement",): ((_replacing,), ()),
    ("SpanCutout",): ((), (("word", "RandomWordAug", {"action": "crop", **_WORDS}),)),
    ("Homophone",): ((), (("word", "SpellingAug", _WORDS),)),
    ("KeyboardTypo",): ((), (("char", "KeyboardAug", _LETTERS),)),
    ("ScannerError",): ((), (("char", "OcrAug", _LETTERS),)),
    ("LetterSwap",): ((), (("char", "RandomCharAug", {"action": "swap", **_LETTERS}),)),
    ("LetterDeletion",): ((), (("char", "RandomCharAug", {"action": "delete", **_LETTERS}),)),
    ("SynonymReplacement", "WordDeletion", "WordSwap"): (
        (_replacing, lambda: _delete, lambda: _swap),
        (
            ("word", "RandomWordAug", {"action": "delete", **_WORDS}),
            ("word", "RandomWordAug", {"action": "swap", **_WORDS}),
        ),
    ),
}


def of_texts(ours: tuple[str, ...], batch: int) -> dict[str, tuple[Callable[[Any], object], list[Any]]]:
    """What there is with the operators in turn, and the texts as each takes them."""
    texts = [_TEXTS[i % len(_TEXTS)] for i in range(batch)]
    rows = torch.from_numpy(as_rows([tokenized(text) for text in texts], 32))
    magnitude = (2 * SHARE, 2 * SHARE)  # all have a limit of a half
    policy = Policy(layers=in_turn(*(Operation(operator=name, magnitude=magnitude) for name in ours)))
    runs: dict[str, tuple[Callable[[Any], object], list[Any]]] = {"autoaug": (policy.transform(seed=0), [rows])}
    edits, theirs = TEXTS[ours]
    if edits:
        own = [make() for make in edits]

        def plain(text: str) -> str:
            words = text.split()
            for edit in own:
                words = edit(words)
            return " ".join(words)

        runs["plain EDA"] = plain, texts
    if theirs:
        augmenters = [_augmenter(*one) for one in theirs]

        def augmented(text: str) -> str:
            for augmenter in augmenters:
                text = augmenter.augment(text)[0]
            return text

        runs["nlpaug"] = augmented, texts
    return runs


def _augmenter(module: str, name: str, how: dict[str, Any]) -> Any:
    import nlpaug.augmenter.char
    import nlpaug.augmenter.word

    return getattr({"word": nlpaug.augmenter.word, "char": nlpaug.augmenter.char}[module], name)(**how)
