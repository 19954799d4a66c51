"""``zoo doctor``: look for what would stop zoo from working here."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import typer

from .choices import Json
from .endings import FAILED
from .tables import show_fields, show_json, show_table


def doctor(json: Json = False) -> None:
    """Look for what would stop zoo from working here, and say what to do.

    Libraries with the versions that are supported, plugins, devices, memory, registries, caches,
    folders and variables; of variables that may hold secrets only the names. No registry is waited
    for longer than three seconds. Exit code 1 only when nothing can work.

    \b
    Examples:
      zoo doctor
      zoo doctor --json
    """
    import warnings

    from .checks import examine

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is wrong with a plugin is one of the findings
        report = examine()
    if json:
        findings = [dataclasses.asdict(finding) for finding in report.findings]
        show_json({**report.sections, "findings": findings, "blocked": report.blocked})
    else:
        for name, section in report.sections.items():
            _show_section(name, section)
        for finding in report.findings:
            label = "blocked" if finding.blocks else "problem"
            show_fields({label: finding.what, "do": finding.do})
            print()
        print("nothing can work yet" if report.blocked else _verdict(len(report.findings)))
    if report.blocked:
        raise typer.Exit(FAILED)


def _show_section(name: str, section: Any) -> None:
    print(name.upper())
    if isinstance(section, Mapping):
        show_fields(section)
    elif section:
        columns = dict.fromkeys(key for row in section for key in row)
        columns.pop("problem", None)  # it stands below, with what to do
        rows = [[row.get(column) for column in columns] for row in section]
        show_table(list(columns), rows, empty="")
    else:
        print("none")
    print()


def _verdict(problems: int) -> str:
    return "no problems found" if not problems else f"problems found: {problems}; zoo can work"
