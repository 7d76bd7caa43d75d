"""Other forms of texts: by translators and models that the tests make; and what has none is refused."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import torch

from autoaug import api
from autoaug.data.audit import audit
from autoaug.data.inputs import MemoryInputs, in_memory
from autoaug.data.loading import open_source
from autoaug.errors import AutoaugError, DataError, OptionError, PolicyError
from autoaug.modalities.operators import prepare
from autoaug.modalities.registry import get_modality
from autoaug.modalities.text import kept, paraphrases, pretrained, translators
from autoaug.modalities.text.bits import lengths_of
from autoaug.modalities.text.paraphrases import MODEL_VARIABLE
from autoaug.modalities.text.tokens import PROTECTED, as_rows, text_of, tokenized, words_of
from autoaug.modalities.text.translators import VARIABLE
from autoaug.pipeline import configure
from autoaug.pipeline.operators import with_operators_ready
from autoaug.pipeline.options import CompareOptions, SearchOptions
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Operation, Policy, in_turn
from autoaug.runs.callbacks import Logged
from autoaug.search.probes import affinity
from autoaug.utils.facts import changes
from tests.modalities.text.test_operators import applied, rows
from tests.modalities.text.writing import write_texts
from tests.modalities.translation.pairs import write_numbers

#: A language in which words are written backward, and which has no word for "never".
THERE = "print(*(' '.join(w[::-1] for w in l.replace('never ', '').split()) for l in sys.stdin), sep='\\n')"
#: Back from it, small things are little ones.
BACK = "print(*(' '.join(w[::-1] for w in l.split()).replace('small', 'little') for l in sys.stdin), sep='\\n')"


def program(code: str) -> str:
    return f'{sys.executable} -c "import sys; {code}"'


@pytest.fixture
def translator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("AUTOAUG_DATA", str(tmp_path / "cache"))
    monkeypatch.setenv(VARIABLE, f"{program(THERE)} | {program(BACK)}")
    return VARIABLE


def test_texts_are_translated_there_and_back_and_protected_words_stay(translator: str) -> None:
    given = rows("A small cat", "I never saw a small cat", "No small cat", "two small cats", length=16)
    made = applied("RoundTripTranslation", given, 1.0)
    assert [text_of(row) for row in made.numpy()] == [
        "A little cat",
        "I never saw a small cat",  # the translation lost a negation
        "No little cat",
        "two little cats",
    ]
    assert torch.equal(applied("RoundTripTranslation", given, 0.0), given)
    many = given[:1].repeat(2000, 1, 1)
    taken = (applied("RoundTripTranslation", many, 0.3) != many).any(2).any(1).sum()
    assert abs(int(taken) - 600) < 4 * (2000 * 0.3 * 0.7) ** 0.5
    words = load_policy("round-trip-translation").transform(seed=0)(["The small dog"] * 20)
    assert Counter(words).keys() == {"The small dog", "The little dog"}


def test_training_texts_are_translated_once_before_a_run_that_needs_them(
    translator: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, runs = write_texts(tmp_path / "texts", 24, 6), translators._run
    monkeypatch.setattr(translators, "_run", lambda *_, **__: pytest.fail("nothing needs it"))
    source = open_source(data, 2**30)
    assert "RoundTripTranslation" not in source.lacking
    inputs = source.parts["train"].inputs
    prepare([inputs], ["WordSwap"])
    monkeypatch.setattr(translators, "_run", runs)
    prepare([inputs], ["WordSwap", "RoundTripTranslation"])
    monkeypatch.setattr(translators, "_run", lambda *_, **__: pytest.fail("it is known"))
    given = torch.from_numpy(inputs.take(np.arange(24)))
    made = applied("RoundTripTranslation", given, 1.0)
    assert ["little" in text_of(row) for row in made.numpy()] == ["small" in text_of(row) for row in given.numpy()]


def test_a_run_prepares_the_rows_that_trainings_augment_and_no_others(
    translator: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, asked = write_texts(tmp_path / "texts", 48, 12), set[str]()
    monkeypatch.setattr(paraphrases, "there_and_back", asked.update)
    config, found, _ = configure.prepare(SearchOptions(data, trials=2, workers=1))
    texts = {
        split: {text_of(row) for row in in_memory(samples.inputs).take(np.arange(len(samples)))}
        for split, samples in (("train", found.train), ("validation", found.validation), ("test", found.test))
    }
    assert config.cross_validated
    with_operators_ready(config, found, Logged())
    assert asked == texts["train"] | texts["validation"], "which other seeds are trained on"
    asked.clear()
    with_operators_ready(config.model_copy(update={"cross_validated": False}), found, Logged())
    assert asked == texts["train"]
    assert config.space is not None
    measured = affinity._operators(config.space)
    assert "WordSwap" in measured
    assert "RoundTripTranslation" not in measured, "validation rows are prepared for no operator"


def test_other_words_alone_need_no_translations(translator: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(translators, "_run", lambda *_, **__: pytest.fail("nothing needs it"))
    monkeypatch.setattr(paraphrases, "in_context", asked.extend)
    texts = ["a small cat", "a dog"]
    given = MemoryInputs(as_rows([tokenized(text) for text in texts], 8))
    prepare([given], ["ContextualReplacement"])
    assert asked == texts


def test_what_is_kept_survives_a_torn_line_and_is_of_one_translator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOAUG_DATA", str(tmp_path / "cache"))
    script, asked = tmp_path / "translate.py", tmp_path / "asked"
    code = f"import sys; t = sys.stdin.read(); open({str(asked)!r}, 'a').write(t); print(t.upper(), end='')"
    script.write_text(code)
    one, texts = f"{sys.executable} {script}", [f"text {i}" for i in range(600)]
    assert translators.rewritten(texts, one) == [text.upper() for text in texts]
    (kept_file,) = (tmp_path / "cache/texts").iterdir()
    whole = kept_file.read_bytes()
    kept_file.write_bytes(whole[:-9])  # the process was killed in its last line
    kept._store.cache_clear()  # as another process
    assert translators.rewritten([*texts, "more"], one)[-2:] == ["TEXT 599", "MORE"]
    assert asked.read_text().splitlines() == [*texts, "text 599", "more"]
    kept_file.write_bytes(kept_file.read_bytes() + b'\n["by another", "process"]')
    assert translators.rewritten(["by another"], one) == ["process"]
    script.write_text(code.replace("upper", "title"))
    translators.digest_of.cache_clear()  # as in a new process
    assert translators.rewritten(["text 1"], one) == ["Text 1"], "another program behind the same path"


def _keep(start: int) -> None:
    for first in range(start, start + 400, 20):
        kept.kept("two", [f"{i} é" for i in range(first, first + 20)], lambda some: [text * 2 for text in some])


@pytest.mark.slow
def test_two_processes_keep_texts_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOAUG_DATA", str(tmp_path / "cache"))
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(_keep, (0, 400)))
    texts = [f"{i} é" for i in range(800)]
    made = kept.kept("two", texts, lambda _: pytest.fail("it is known"))
    assert made == [text * 2 for text in texts]


@contextmanager
def without_rights(path: Path) -> Iterator[None]:
    """The file or folder is closed to this user, who is not root."""
    user, mode = os.geteuid(), path.stat().st_mode
    path.chmod(0)
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)
        path.chmod(mode)


def test_a_lexicon_or_model_that_is_closed_to_the_user_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    text = get_modality("text")
    text.resources()  # imported while files can be read
    with TemporaryDirectory() as name:  # outside of tmp_path, which is another user's for one who is not root
        folder, file = Path(name), Path(name, "data.noun")
        folder.chmod(0o755)
        file.write_text("00001740 03 n 02 entity 0 thing 0 000 | what is\n")
        for variable in ("WNSEARCHDIR", MODEL_VARIABLE):
            with monkeypatch.context() as only:
                only.setenv("WNSEARCHDIR", str(folder / "none"))
                only.setenv(variable, str(folder))
                with without_rights(file), pytest.raises(OptionError, match=r"data\.noun cannot be read: Permission"):
                    text.resources()
                if variable == MODEL_VARIABLE:
                    with without_rights(folder), pytest.raises(OptionError, match="cannot be read: Permission"):
                        text.resources()
        with without_rights(file), pytest.raises(DataError, match=r"data\.noun cannot be read: Permission"):
            pretrained.translated(str(folder), ["one"])
        monkeypatch.setenv("WNSEARCHDIR", str(folder))
        with without_rights(folder):
            assert text.resources()["synonyms"] == "a short lexicon"


def test_a_resumed_run_is_told_of_another_lexicon_and_another_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WNSEARCHDIR", str(tmp_path))
    assert get_modality("text").resources() == {
        "translator": "none", "masked model": "none", "synonyms": "a short lexicon",
    }  # fmt: skip
    lexicon, model = tmp_path / "own.txt", tmp_path / "bert"
    model.mkdir()
    (model / "config.json").write_text("{}")
    (model / "model.safetensors").write_bytes(bytes(10**6))
    lexicon.write_text("big, large\n")
    for name, value in (("AUTOAUG_LEXICON", lexicon), (MODEL_VARIABLE, model), (VARIABLE, f"transformers:{model}")):
        monkeypatch.setenv(name, str(value))
    before = get_modality("text").resources()
    assert get_modality("text").resources() == before
    lexicon.write_text("big, huge\n")
    translators.digest_of.cache_clear()  # as in a new process
    (model / "model.safetensors").write_bytes(bytes(5 * 10**5) + bytes([1]) * 5 * 10**5)
    after = get_modality("text").resources()
    differing = changes(before, after)
    assert "synonyms a short lexicon, and AUTOAUG_LEXICON, digest" in differing
    assert "masked model digest" in differing
    assert "translator digest" in differing
    assert get_modality("translation").resources()["synonyms"] == after["synonyms"]


@pytest.mark.skipif(shutil.which("apertium") is None, reason="apertium is not installed")
def test_apertium_translates_there_and_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = subprocess.run(["apertium", "-l"], capture_output=True, text=True).stdout.split()
    if not {"eng-spa", "spa-eng"} <= set(pairs):
        pytest.skip("apertium-eng-spa is not installed")
    monkeypatch.setenv("AUTOAUG_DATA", str(tmp_path / "cache"))
    monkeypatch.setenv(VARIABLE, "apertium -u eng-spa | apertium -u spa-eng")
    given = rows("The company said prices rose quickly last year.", "I do not like this house.", length=20)
    made = [text_of(row) for row in applied("RoundTripTranslation", given, 1.0).numpy()]
    assert made[0] != text_of(given[0].numpy())
    assert "company" in made[0]
    assert "not" in made[1].split()


def test_without_a_translator_policies_are_refused_and_spaces_do_without(tmp_path: Path) -> None:
    data = write_texts(tmp_path / "texts")
    with pytest.raises(
        PolicyError, match=r"has RoundTripTranslation, which would change nothing: .*AUTOAUG_TRANSLATOR="
    ):
        configure.prepare(CompareOptions(data, ["none", "round-trip-translation"], workers=1))
    with pytest.raises(PolicyError, match="would change nothing"):
        api.expand(data, "round-trip-translation", out=tmp_path / "more")
    config, _, _ = configure.prepare(SearchOptions(data, trials=3, workers=1))
    assert config.space is not None
    assert not {"RoundTripTranslation", "ContextualReplacement"} & set(config.space.operator_names())
    assert config.space.baselines == ("none", "eda", "aeda", "eda-light")
    assert config.space.portfolio
    with pytest.raises(OptionError, match=r"RoundTripTranslation: there is no translator; .*\| apertium"):
        load_policy("round-trip-translation").transform(seed=0)(["a text"] * 9)
    notes = [finding.message for finding in audit(open_source(data, 2**30)).findings if finding.code == "lacking"]
    assert [note.split()[0] for note in notes] == ["RoundTripTranslation", "ContextualReplacement"]


def test_with_a_translator_the_space_and_the_baselines_have_it(translator: str, tmp_path: Path) -> None:
    config, _, _ = configure.prepare(SearchOptions(write_texts(tmp_path / "texts"), trials=3, workers=1))
    assert config.space is not None
    assert "RoundTripTranslation" in config.space.operator_names()
    assert "ContextualReplacement" not in config.space.operator_names()
    assert "round-trip-translation" in config.space.baselines


def test_pairs_without_translations_back_refuse_what_needs_them(tmp_path: Path) -> None:
    data = write_numbers(tmp_path / "n")
    back = Policy(name="back", layers=in_turn(Operation(operator="BackTranslation")))
    with pytest.raises(
        PolicyError, match=r"'back' has BackTranslation, which would change nothing: .*back_translation"
    ):
        configure.prepare(CompareOptions(data, ["none", back], workers=1))
    config, _, _ = configure.prepare(SearchOptions(data, trials=3, workers=1))
    assert config.space is not None
    assert {"BackTranslation", "TargetCopy"} & {base.operator for base in config.space.base} == {"TargetCopy"}
    with pytest.warns(UserWarning, match="none of 1 pair has a translation of its target back"):
        assert back.transform(seed=0)([("one", "1")]) == [("one", "1")]


transformers: Any = pytest.importorskip("transformers", reason="transformers is not installed")

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "big",
    "small",
    "cat",
    "dog",
    "house",
    "sees",
    "never",
    "##s",
    "a",
]
SIZES = {"vocab_size": len(WORDS), "pad_token_id": 0}


def tokenizer_of(folder: Path, mask: str | None = "[MASK]") -> Any:
    """A tokenizer of whole words, and of one ending."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    made = Tokenizer(models.WordPiece({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    names = {"unk_token": "[UNK]", "pad_token": "[PAD]", "mask_token": mask, "bos_token": "[CLS]", "eos_token": "[SEP]"}
    own = transformers.PreTrainedTokenizerFast(tokenizer_object=made, model_max_length=32, **names)
    own.save_pretrained(folder)
    return own


def masked_in(folder: Path, mask: str | None = "[MASK]") -> Any:
    """A masked language model with random weights."""
    tokenizer_of(folder, mask)
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    model = transformers.BertForMaskedLM(transformers.BertConfig(**SIZES, **sizes, max_position_embeddings=32)).eval()
    model.save_pretrained(folder)
    return model


def test_words_are_replaced_by_what_a_model_expects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = masked_in(tmp_path / "bert")
    monkeypatch.setenv("AUTOAUG_DATA", str(tmp_path / "cache"))
    monkeypatch.setenv(MODEL_VARIABLE, str(tmp_path / "bert"))
    (fields,) = pretrained.alternatives(str(tmp_path / "bert"), ["A big Dog never sees."])
    words = [field.split() for field in fields.split("\t")]
    assert [bool(own) for own in words] == [False, True, True, False, True, False]
    assert set(words[2]) == {"big", "small", "cat", "house", "sees"}, "whole words, without negations and itself"
    ids = torch.tensor([[2, 13, 5, 4, 11, 10, 1, 3]])
    with torch.inference_mode():
        order = model(ids).logits[0, 3].argsort(descending=True).tolist()
    assert words[2] == [WORDS[i] for i in order if WORDS[i] in words[2]], "the most likely first"

    text = " ".join(["big cat sees small dog", "never"] * 5)
    given = torch.from_numpy(as_rows([tokenized(text)] * 20, 40))
    for magnitude, many in ((0.02, 1), (0.4, 6), (1.0, 15)):  # max(1, int(alpha * 30))
        made = applied("ContextualReplacement", given, magnitude)
        assert set((made != given).any(2).sum(1).tolist()) == {many}
        assert torch.equal(lengths_of(made), lengths_of(given))
        for row in made.numpy():
            assert sum(flags & PROTECTED > 0 for _, flags in words_of(row)) == 5
            assert {word for word, _ in words_of(row)} <= {"big", "small", "cat", "dog", "house", "sees", "never"}
    monkeypatch.setattr(pretrained, "alternatives", lambda *_: pytest.fail("it is known"))
    assert torch.equal(applied("ContextualReplacement", given, 1.0), made)
    assert text_of(made[0].numpy()).split()[5] == "never"


def test_a_model_translates_as_transformers_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = tokenizer_of(tmp_path / "bart")
    torch.manual_seed(1)
    sizes = {f"{side}_{what}": 1 for side in ("encoder", "decoder") for what in ("layers", "attention_heads")}
    wide = {"d_model": 16, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16, "max_position_embeddings": 64}
    ends = {"bos_token_id": 2, "eos_token_id": 3, "decoder_start_token_id": 2, "forced_eos_token_id": None}
    config = transformers.BartConfig(**SIZES, **sizes, **wide, **ends, init_std=1.0)
    model = transformers.BartForConditionalGeneration(config).eval()
    model.save_pretrained(tmp_path / "bart")
    texts = ["a big cat sees", "small house", "dogs"]
    monkeypatch.setenv("AUTOAUG_DATA", str(tmp_path / "cache"))
    assert any(translators.rewritten(texts, f"transformers:{tmp_path / 'bart'}"))
    for text in texts:
        ids = tokenizer(text, return_tensors="pt").input_ids
        alone = model.generate(ids, max_new_tokens=2 * ids.shape[1] + 8, do_sample=False)
        theirs = " ".join(tokenizer.decode(alone[0], skip_special_tokens=True).split())
        assert pretrained.translated(str(tmp_path / "bart"), [text]) == [theirs]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda _: None, "there is no folder"),
        (lambda folder: folder.mkdir(), "has no model that transformers reads as AutoModelForMaskedLM"),
        (lambda folder: masked_in(folder, None), "has no mask; give a masked language model"),
    ],
)
def test_a_folder_without_such_a_model_is_named(
    make: Any, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path / "model")
    monkeypatch.setenv("AUTOAUG_DATA", str(tmp_path / "cache"))
    monkeypatch.setenv(MODEL_VARIABLE, str(tmp_path / "model"))
    train = open_source(write_texts(tmp_path / "texts"), 2**30).parts["train"].inputs
    with pytest.raises(DataError, match=message):
        prepare([train], ["ContextualReplacement"])


def test_what_runs_code_is_not_loaded(tmp_path: Path) -> None:
    """Weights as a pickle are refused."""
    model = masked_in(tmp_path / "bert")
    (tmp_path / "bert/model.safetensors").unlink()
    torch.save(model.state_dict(), tmp_path / "bert/pytorch_model.bin")
    with pytest.raises(AutoaugError, match="has no model that transformers reads"):
        pretrained.alternatives(str(tmp_path / "bert"), ["a cat"])
