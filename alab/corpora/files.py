"""A user's own data: a folder with `examples` and `annotations`, each as CSV, JSON Lines or Parquet."""

from pydantic import NonNegativeInt, PositiveInt, validate_call

from alab.config import PathName
from alab.corpora.corpus import Corpus, Row, canonical_labels, check_test_labels, hold_back, texts
from alab.corpora.tables import Table, read_any
from alab.errors import UserError
from alab.seeding import Streams

TRUE, FALSE = ("1", "1.0", "true", "yes"), ("0", "0.0", "false", "no", "")


@validate_call
def load(
    *,
    root: PathName,
    simulate: bool,
    initial_examples: PositiveInt,
    initial_annotations: PositiveInt,
    seed: NonNegativeInt,
) -> Corpus:
    """Load `examples` (id, text, split[, label]) and `annotations` (example_id, annotator_id, label[, initial]).

    Every annotation counts as bought, unless the column `initial` says which were there at the start or `simulate`
    draws them; the others are then the archive that answers requests. Annotations of test examples are not used.

    Args:
        root: the folder, or any fsspec URL.
        simulate: hold back all but a seeded first draw, whatever `initial` says.
        initial_examples: how many examples are annotated at the start of a simulation.
        initial_annotations: with how many annotations each.
        seed: of the draw; it is not the seed of the run, so that all runs start from the same annotations.

    Raises:
        UserError: at the first fault, naming the file, the row, the column and what was expected.
    """
    examples = read_any(root, "examples", ["id", "text", "split", "label"])
    split_of = _check_examples(examples)
    annotations = read_any(root, "annotations", ["example_id", "annotator_id", "label", "initial"])
    _check_annotations(annotations, split_of)

    rows: list[Row] = []
    initial: list[bool] = []
    said_initial = annotations.columns.get("initial", ["true"] * len(annotations))
    cells = zip(*(annotations.columns[name] for name in ("example_id", "annotator_id", "label")), strict=True)
    for row, at_start in zip(cells, said_initial, strict=True):
        if split_of[row[0]] == "pool":
            rows.append(row)
            initial.append(at_start.lower() in TRUE)
    if not rows:
        raise UserError(f"{annotations.name}: no annotation of a pool example; training needs some to start from")
    if simulate:
        streams = Streams(seed)
        initial = hold_back(
            [example for example, *_ in rows], initial_examples, initial_annotations, streams.rng("files/initial")
        ).tolist()

    true_labels = examples.columns.get("label", [""] * len(examples))
    plain = canonical_labels([*(label for *_, label in rows), *filter(None, true_labels)]) | {"": ""}
    rows = [(example, annotator, plain[label]) for example, annotator, label in rows]
    is_test = [split == "test" for split in examples.columns["split"]]
    check_test_labels(examples, is_test, plain, {label for *_, label in rows})

    ids, text, labels = examples.columns["id"], examples.columns["text"], [plain[label] for label in true_labels]
    pool, test = (
        texts(*([cell for cell, t in zip(column, is_test, strict=True) if t is want] for column in (ids, text, labels)))
        for want in (False, True)
    )
    unused = len(annotations) - len(rows)
    try:
        return Corpus.build(
            pool=pool,
            test=test,
            initial=[row for row, at_start in zip(rows, initial, strict=True) if at_start],
            archive=[row for row, at_start in zip(rows, initial, strict=True) if not at_start],
            notes=[f"{unused} annotations of test examples are not used"] if unused else [],
        )
    except UserError as error:
        raise UserError(f"{annotations.name}: {error}") from error


def _check_examples(table: Table) -> dict[str, str]:
    """Return the split of each example id, after checking every cell that is used."""
    table.require(["id", "text", "split"])
    table.strip("id", "split", "label")
    table.check_ids("id")
    labels = table.columns.get("label")
    split_of: dict[str, str] = {}
    for index, (id, text, split) in enumerate(
        zip(table.columns["id"], table.columns["text"], table.columns["split"], strict=True)
    ):
        if not text.strip():
            raise table.fault(index, "text", "it is empty; expected a text")
        if split not in ("pool", "test"):
            raise table.fault(index, "split", f"{split!r} is unknown; expected pool or test")
        if split == "test" and not (labels and labels[index]):
            raise table.fault(index, "label", "it is empty; a test example needs its true label")
        split_of[id] = split
    if "pool" not in split_of.values():
        raise UserError(f"{table.name}: no example has split pool; expected at least one")
    return split_of


def _check_annotations(table: Table, split_of: dict[str, str]) -> None:
    table.require(["example_id", "annotator_id", "label"])
    table.strip("example_id", "annotator_id", "label", "initial")
    said_initial = table.columns.get("initial")
    seen: dict[tuple[str, str], int] = {}
    for index, pair in enumerate(zip(table.columns["example_id"], table.columns["annotator_id"], strict=True)):
        example, annotator = pair
        for column in ("example_id", "annotator_id", "label"):
            table.check_name(index, column)
        if example not in split_of:
            raise table.fault(index, "example_id", f"{example!r} is not in examples; expected the id of an example")
        if pair in seen:
            first = table.rows[seen[pair]]
            raise table.fault(
                index, "annotator_id", f"{annotator!r} has annotated {example!r} already, in row {first}; expected once"
            )
        seen[pair] = index
        if said_initial and said_initial[index].lower() not in TRUE + FALSE:
            raise table.fault(index, "initial", f"{said_initial[index]!r} is unknown; expected true or false")
