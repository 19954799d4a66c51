"""What ``zoo doctor`` looks at, and what it finds wrong."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from zoo.errors import ZooError, reason

from .plugins import plugin_rows

SLOW_MS = 1000.0  # to load a plugin, which every list and completion waits for


@dataclass(frozen=True)
class Finding:
    """Something wrong, what to do about it, and whether nothing works until then."""

    what: str
    do: str
    blocks: bool = False


@dataclass
class Report:
    """Sections of plain data by name, and every finding."""

    sections: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def blocked(self) -> bool:
        return any(finding.blocks for finding in self.findings)


def examine() -> Report:
    """Look at everything. Never raises for what it is to report."""
    from . import checks_machine, checks_places, checks_versions

    report = Report()
    asked = checks_places.Asked()  # registries answer while the rest is looked at
    for name, look in (
        ("environment", checks_versions.environment),
        ("plugins", plugins),
        ("libraries", checks_versions.libraries),
        ("devices", checks_machine.devices),
        ("memory", checks_machine.memory),
        ("registries", asked.registries),
        ("caches", checks_places.caches),
        ("folders", checks_places.folders),
        ("variables", checks_machine.variables),
    ):
        try:
            report.sections[name] = look(report.findings)
        except Exception as error:  # one section that fails must not hide the others
            report.sections[name] = None
            report.findings.append(
                Finding(f"{name}: {reason(error)}", "this is a bug in zoo or in a plugin")
            )
    return report


def plugins(findings: list[Finding]) -> list[dict[str, Any]]:
    from zoo.plugins.catalog import catalog
    from zoo.plugins.loading import SELECTION_VARIABLE
    from zoo.plugins.specs import PLURALS

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        installed = catalog()
        rows = plugin_rows(installed)
    for text in (str(one.message) for one in told):
        if text.startswith(SELECTION_VARIABLE):  # the others are problems of plugins, below
            findings.append(Finding(text, f"correct it, or unset {SELECTION_VARIABLE}"))
    for row in rows:
        what = f"plugin {row['name']!r} of {row['distribution']} {row['version']}"
        if row["problem"]:
            findings.append(
                Finding(
                    f"{what} is {row['state']}: {row['problem']}",
                    f"mend it, or: pip uninstall {row['distribution']}",
                )
            )
        elif row["load_ms"] > SLOW_MS:
            findings.append(
                Finding(
                    f"{what} takes {row['load_ms'] / 1000:.1f} s to load, at every list",
                    "let it import its libraries in build, or name build as 'module:function'",
                )
            )
    if not installed.loaded:
        findings.append(Finding("no plugin is loaded", "pip install zoo-basics", blocks=True))
    for kind in PLURALS:
        counted = Counter(component.name for component in installed.components(kind))
        for name in (name for name, count in counted.items() if count > 1):
            try:
                installed.get(kind, name)
            except ZooError as error:
                findings.append(Finding(str(error), "until then, that name cannot be used"))
    return rows
