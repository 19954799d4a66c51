"""``zoo compare``: whether models differ on the same samples."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .completion import complete_runs_and_models
from .figures import figure
from .tables import show_json, show_table

if TYPE_CHECKING:
    from zoo.predictions.across_seeds import AcrossSeeds
    from zoo.predictions.comparison import Pair
    from zoo.predictions.drawn import Key
    from zoo.runs.comparing import Comparison


def compare(
    subjects: Annotated[
        list[str],
        typer.Argument(
            help="Runs, models or predictions files (.npz), two or more.",
            metavar="A B [C]...",
            autocompletion=complete_runs_and_models,
        ),
    ],
    split: Annotated[
        str, typer.Option(help="On which split; predictions files say that themselves.")
    ] = "test",
    metric: Annotated[
        str | None,
        typer.Option(
            help="The figure to compare by; --json has all of them.",
            show_default="accuracy; of masks dice, the mean over images",
        ),
    ] = None,
    each: Annotated[
        bool,
        typer.Option(
            "--each", help="One by one, also runs of the same recipe with different seeds."
        ),
    ] = False,
    draws: Annotated[
        int | None,
        typer.Option(help="Draws of the bootstrap.", show_default="2,000, where they take seconds"),
    ] = None,
    seed: Annotated[int, typer.Option(help="The seed of these draws.")] = 0,
    level: Annotated[
        float, typer.Option(help="In how many cases an interval holds the true difference.")
    ] = 0.95,
    registry: Annotated[
        str | None, typer.Option(help="Where the models are [default: as registry.toml says].")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Compare what runs, models or files predicted of the same samples.

    A difference is the second's figure less the first's, with an interval; it is shown where that
    does not hold zero and, among several pairs, Holm's p-value reaches the level. Runs of one
    recipe with different seeds are taken together, and then seeds have to show it too.

    \b
    Examples:
      zoo compare runs/digits-linear-1 runs/digits-simple_cnn-1
      zoo compare digits-linear@1 digits-linear@2 --metric log_loss
      zoo compare runs/a-1 runs/a-2 runs/a-3 runs/b-1 runs/b-2 runs/b-3
      zoo compare old.npz new.npz --json
    """
    from zoo.predictions.comparison_json import as_json, figure_named
    from zoo.runs.comparing import compare as carry_out

    done = carry_out(
        subjects,
        split=split,
        registry=registry,
        draws=draws,
        seed=seed,
        level=level,
        by_recipe=not each,
    )
    key = figure_named(done.together, metric)
    if json:
        show_json(as_json(done.together, done.pairs, done.seeds, key))
        return
    _show_samples(done)
    if done.seeds is None:
        _show_sides(done, key)
        _show_pairs(done.pairs, key, level)
    else:
        _show_recipes(done.seeds, key)
        _show_recipe_pairs(done.seeds, key, level)


def _show_samples(done: Comparison) -> None:
    said, plan, units = done.together.sides[0].predictions, done.together.plan, done.together.units
    typer.echo(
        f"{said.dataset}, split {said.split}, {len(said):,} samples; {100 * plan.level:.4g} % "
        f"intervals, {plan.draws:,} draws of {units.count:,} {units.name}, seed {plan.seed}\n"
    )


def _show_sides(done: Comparison, key: Key) -> None:
    together = done.together
    place, rows = together.keys.index(key), []
    for number, side in enumerate(together.sides):
        interval = together.intervals(number)[key].as_json()
        rows.append((side.name, figure(_number(together.drawn[number].values[place]), interval)))
    show_table(("model", _named(key)), rows, empty="nothing to compare", right=(_named(key),))


def _show_pairs(pairs: list[Pair], key: Key, level: float) -> None:
    # McNemar's test is of the decisions, whatever the figure.
    exact = key.name in ("accuracy", "exact_match") and all(pair.apart for pair in pairs)
    several = len(pairs) > 1
    columns = ["first", "second", "difference", "p"]
    columns += ["p (holm)"] if several else []
    columns += ["right alone", "mcnemar"] if exact else []
    rows: list[list[object]] = []
    for pair in pairs:
        one = pair.differences[key]
        row = [pair.first, pair.second, _signed(one.value, one.interval.as_json()), _p(one.p)]
        row += [_p(one.p_holm)] if several else []
        if exact and pair.apart is not None:
            row += [f"{pair.apart.first_alone}, {pair.apart.second_alone}", _p(pair.apart.exact_p)]
        rows.append([*row, _verdict(pair, one.better(level))])
    typer.echo("")
    show_table([*columns, ""], rows, empty="nothing to compare", right=columns[2:])


def _show_recipes(seeds: AcrossSeeds, key: Key) -> None:
    rows = []
    for number, recipe in enumerate(seeds.recipes):
        one = seeds.spreads(number)[key]
        rows.append(
            (recipe.name, one.count, figure(_number(one.mean), one.interval.as_json()),
             "-" if math.isnan(one.deviation) else f"{one.deviation:.4f}")
        )  # fmt: skip
    columns = ("recipe", "seeds", f"mean {_named(key)}", "sd")
    show_table(columns, rows, empty="nothing to compare", right=columns[1:])


def _show_recipe_pairs(seeds: AcrossSeeds, key: Key, level: float) -> None:
    columns = ["first", "second", "difference of means", "p, samples", "p, seeds", "test"]
    rows: list[list[object]] = []
    for pair in seeds.pairs():
        one, test = pair.differences[key], pair.tests[key]
        count = f"n {test.count[0]}" + ("" if len({*test.count}) == 1 else f" and {test.count[1]}")
        shown = _signed(one.value, one.interval.as_json())
        row = [pair.first, pair.second, shown, _p(one.p_holm), _p(test.p_holm)]
        rows.append([*row, f"{test.name}, {count}", _verdict(pair, pair.better(key, level))])
    if not rows:
        return
    typer.echo("")
    show_table([*columns, ""], rows, empty="nothing to compare", right=columns[2:5])
    if len(rows) > 1:
        typer.echo(f"p-values are Holm's, of {len(rows)} pairs")


def _verdict(pair: Pair, better: str) -> str:
    if better == "neither":
        return "no difference shown"
    return f"{pair.first if better == 'first' else pair.second} is better"


def _named(key: Key) -> str:
    return key.name if key.scope == "overall" else f"{key.scope.replace('_', ' ')} {key.name}"


def _number(value: Any) -> float | None:
    return None if math.isnan(value) else float(value)


def _signed(value: float, interval: Any) -> str:
    if math.isnan(value):
        return "undefined"
    ends = "" if interval is None else f" ({interval['low']:+.4f} to {interval['high']:+.4f})"
    return f"{value:+.4f}{ends}"


def _p(value: float) -> str:
    if math.isnan(value):
        return "-"
    return "<0.001" if value < 0.001 else f"{value:.3f}"
