"""Stanford politeness, as published with the ActiveLab demonstration: is a request polite (1) or not (0)?

The Wikipedia part of the corpus of Danescu-Niculescu-Mizil et al. (ACL 2013): 100 examples with two annotations each,
1,400 without, an archive of three or five more for each of them, and 678 test examples.
"""

from pydantic import validate_call

from alab.config import PathName
from alab.corpora.corpus import UNKNOWN, Corpus, Row, canonical_labels, check_test_labels, texts
from alab.corpora.tables import fetch, read_csv
from alab.corpora.unpickling import load_nested_dict
from alab.errors import UserError


@validate_call
def load(*, root: PathName) -> Corpus:
    """Load the corpus from its published files.

    Args:
        root: folder or fsspec URL that holds `X_labeled_full.csv` (id, text, one column an annotator),
            `X_unlabeled.csv` (id, text), `test.csv` (id, text, label) and `extra_annotations.npy` (a pickled
            `{example id: {annotator: label}}`, which is the archive).

    Raises:
        UserError: if a file is not there or not of this layout.
    """
    root = root.rstrip("/")
    labeled, unlabeled, test = (read_csv(f"{root}/{name}.csv") for name in ("X_labeled_full", "X_unlabeled", "test"))
    for table, columns in ((labeled, ["id", "text"]), (unlabeled, ["id", "text"]), (test, ["id", "text", "label"])):
        table.require(columns)
        table.check_ids("id")
    extra = f"{root}/extra_annotations.npy"

    initial: list[Row] = [
        (example, annotator, cell)
        for row, example in enumerate(labeled.columns["id"])
        for annotator, cells in labeled.columns.items()
        if annotator not in ("id", "text") and (cell := cells[row])
    ]
    archive: list[Row] = [
        (example, annotator, str(label))
        for example, answers in load_nested_dict(fetch(extra), name=extra).items()
        for annotator, label in answers.items()
    ]
    plain = canonical_labels([*(label for *_, label in initial + archive), *test.columns["label"]])
    ids = [*labeled.columns["id"], *unlabeled.columns["id"]]
    strangers = {example for example, *_ in archive} - set(ids)
    if strangers:
        raise UserError(f"{extra}: example {min(strangers)!r} stands in neither X_labeled_full.csv nor X_unlabeled.csv")
    check_test_labels(test, [True] * len(test), plain, {plain[label] for *_, label in initial + archive})
    return Corpus.build(
        pool=texts(ids, [*labeled.columns["text"], *unlabeled.columns["text"]], [UNKNOWN] * len(ids)),
        test=texts(test.columns["id"], test.columns["text"], [plain[label] for label in test.columns["label"]]),
        initial=[(example, annotator, plain[label]) for example, annotator, label in initial],
        archive=[(example, annotator, plain[label]) for example, annotator, label in archive],
    )
