"""What is wrong with a study: one wording for each failure, all of it here."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from zoo.errors import clipped, nearest
from zoo.recipes.problems import wrong_value
from zoo.studies.schema import SEEDS, SHOWN


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    known = list(known)
    listed = ", ".join(map(repr, known)) if known else "none"
    return f"no {what} {clipped(name)!r}{nearest(name, known)}; there are {clipped(listed, 300)}"


def unknown_key(name: str, known: Iterable[str]) -> str:
    known = list(known)
    return f"unknown key{nearest(name, known)}; expected one of {', '.join(known)}"


def needed(what: str) -> str:
    return f"missing; expected {what}"


def no_tables() -> str:
    return "missing; expected one table or more, [[tables]]"


def twice(what: str, name: str) -> str:
    return f"{what} {clipped(name)!r} stands twice; each needs a name of its own"


def too_many_rows(most: int) -> str:
    return f"more than {most:,} rows; expected so many at most"


def too_many_runs(count: int, most: int) -> str:
    return (
        f"the study has {count:,} runs or more; expected at most {most:,}: fewer rows, seeds or "
        f"folds"
    )


def name_of_differences(table: str) -> str:
    return f"so are the differences of table {table!r} named; expected another name"


def given_by_study(key: str, where: str) -> str:
    return f"{key}: each run has its own, of {where}; leave this out"


def wrong_seeds(seeds: object) -> str:
    return f"seeds: {wrong_value(seeds, SEEDS)}"


def nothing_measured() -> str:
    return "missing; a table without columns has those of metrics, as metrics = ['accuracy']"


def whole_step() -> str:
    return "between whole numbers the step has to be one too"


def not_of_kind(key: str, kind: str, kinds: str) -> str:
    return f"a table of kind {kind!r} has no {key}; only {kinds} have"


def one_of_shown(given: int) -> str:
    return f"{given} of {', '.join(SHOWN)} given; expected one"


def no_recipe() -> str:
    return 'missing; expected a recipe: recipe = "recipe.toml", or [recipe] with what stands in one'


def own_recipe_of_cumulative() -> str:
    return "in a cumulative table every row has the table's recipe"


def ensemble_with(keys: Iterable[str]) -> str:
    return f"a row that is an ensemble trains nothing; leave out {', '.join(keys)}"


def predict_of_ensemble() -> str:
    return "only a row that is an ensemble has it; a run is asked by zoo predict"


def of_kaggle() -> str:
    return "only for format = 'kaggle'"


def ensemble_of_ensemble(name: str) -> str:
    return f"{clipped(name)!r} is itself an ensemble; name the rows that were trained"


def not_published(row: str, path: str) -> str:
    return f"{path} has a row {clipped(row)!r}, which the table has not"


def wrong_metric(value: object, expected: str, near: str) -> str:
    return f"{wrong_value(value, expected)}{near}"


def no_such_value(key: str) -> str:
    return f"no recipe of the table says {clipped(key)!r}"


def at_of_epoch() -> str:
    return "only a figure of an epoch has it, as metric = 'train/accuracy'"


def not_of_epoch(kind: str, metric: str) -> str:
    return f"{clipped(metric)!r}: {kind} are over epochs: expected 'train/..' or 'val/..'"


def metric_twice() -> str:
    return "expected metric or metrics, not both"


def one_metric(kind: str) -> str:
    return f"a figure of kind {kind!r} has one metric"


def no_such_axis(key: str) -> str:
    return f"no recipe of the figure's table says {clipped(key)!r}"


def which_table(names: Iterable[str]) -> str:
    return f"missing; there are several tables: expected one of {', '.join(names)}"


def wrong_span() -> str:
    return "expected { low = .., high = .. } with low below high, or a list of values"


def log_span() -> str:
    return "log needs low above 0, and no step"


def no_profile(name: str, known: Iterable[str]) -> str:
    known = list(known)
    if not known:
        return f"no profile {clipped(name)!r}; the study has none: leave out --profile"
    return unknown("profile", name, known)


def no_text(name: str, known: Iterable[str]) -> str:
    known = list(known)
    if not known:
        return (
            f"no text {clipped(name)!r}; expected text = {{ {clipped(name)} = '..' }} in "
            f"[[tables.rows]], or such a column in the file of published"
        )
    return unknown("text", name, known)


def in_use(out: Path) -> str:
    return (
        f"{str(out)!r} is in use by another zoo study; wait until that ends, or name another with "
        f"--out"
    )


def other_format(path: Path, given: str, expected: int) -> str:
    return (
        f"results {str(path)!r} are of format {given}; expected {expected}: they are another zoo's,"
        f" name another folder with --out"
    )


def failed(count: int, every: int) -> str:
    runs = "the only run" if every == 1 else f"{count} of {every} runs"
    return (
        f"{runs} failed, the tables say why; mend that and type the same again: it goes on with "
        f"what is not done"
    )


def elsewhere(out: Path, what: str) -> str:
    return f"{str(out)!r} holds the results of another study, {what}; name another with --out"
