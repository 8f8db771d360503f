"""Makes the tiny encoder and the tiny corpora that the tests run on."""

import csv
import random
from pathlib import Path

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from transformers import DistilBertConfig, DistilBertModel, PreTrainedTokenizerFast

GOOD, BAD = ["fine", "great", "lovely", "kind"], ["awful", "bad", "rude", "cold"]
NEUTRAL = ["the", "a", "day", "word", "thing", "page", "note", "talk"]
ANNOTATORS = ["ann", "bob", "cat", "dan"]


def write_encoder(folder: Path) -> Path:
    """Write a random DistilBERT of two layers with a word-level tokenizer of the corpus's words."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *GOOD, *BAD, *NEUTRAL]
    tokenizer = Tokenizer(WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", words.index("[CLS]")), ("[SEP]", words.index("[SEP]"))]
    )
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=32, **special).save_pretrained(folder)
    torch.manual_seed(0)
    config = DistilBertConfig(
        vocab_size=len(words), dim=16, hidden_dim=32, n_layers=2, n_heads=2, max_position_embeddings=32
    )
    DistilBertModel(config).save_pretrained(folder)
    return folder


def sentence(label: int, rng: random.Random) -> str:
    """Write a sentence whose words say which class it is."""
    words = rng.choices(GOOD if label else BAD, k=2) + rng.choices(NEUTRAL, k=rng.randint(1, 4))
    rng.shuffle(words)
    return " ".join(words)


def write_corpus(folder: Path, num_pool: int, num_test: int, *, archive: bool = True, seed: int = 0) -> Path:
    """Write `examples.csv` and `annotations.csv` with two classes and four annotators, one of whom errs often.

    With `archive` a third of the pool has two initial annotations and everyone has annotated nearly everything; without
    it the initial annotations are all there is.
    """
    rng = random.Random(seed)
    examples = []
    annotations = []
    for index in range(num_pool + num_test):
        label = index % 2
        split = "pool" if index < num_pool else "test"
        examples.append([f"e{index}", sentence(label, rng), split, ("no", "yes")[label]])
        if split == "test":
            continue
        first, second = rng.sample(ANNOTATORS, 2) if index % 3 == 0 else ("", "")
        for annotator in ANNOTATORS:
            initial = annotator in (first, second)
            if initial or (archive and rng.random() < 0.9):
                wrong = rng.random() < (0.4 if annotator == "dan" else 0.1)
                annotations.append([f"e{index}", annotator, ("no", "yes")[label != wrong], str(initial).lower()])
    _write(folder / "examples.csv", ["id", "text", "split", "label"], examples)
    header = ["example_id", "annotator_id", "label", *(["initial"] if archive else [])]
    _write(folder / "annotations.csv", header, [row[: len(header)] for row in annotations])
    return folder


def _write(path: Path, header: list[str], rows: list[list[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
