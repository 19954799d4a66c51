"""A table of texts as Markdown, CSV and LaTeX. Every text is foreign and escaped."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from zoo.errors import printable
from zoo.studies.cells import Shown, ShownTable

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+!|~$^&-])")
_HARMLESS = re.compile(r"(?<=[\w.,])\\([-()])|\\([-+()])(?=[\w. ]|$)")
_ITEM = re.compile(r"^(\d*)([-+.)])(?= )")  # at the start of a line that of a list
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"{\char34}",
    "±": r"$\pm$", "×": r"$\times$", "−": "$-$", "…": r"\ldots{}", "–": "--", "—": "---",
    "[": "{[}", "]": "{]}",  # behind \\ or \footnote they would begin an argument
    "'": "{'}", "`": "{`}",
}  # fmt: skip
_MINUS = re.compile(r"(?<![\w.])-(?=[\d.])")  # of a number, where LaTeX sets a hyphen
_FORMULA = ("=", "+", "-", "@", "\t")


def markdown(table: ShownTable) -> str:
    """Tables of GitHub's Markdown, with title and footnotes."""
    head = [_md(one.text) for one in table.head]
    rule = ["---:" if one.number else "---" for one in table.head]
    rows = [[_md(cell.line) + _raised(cell) for cell in row] for row in table.rows]
    lines = [f"| {' | '.join(row)} |" for row in (head, rule, *rows)]
    title = [f"**{_md(table.title or table.name)}**", ""]
    notes = [
        f"{f'<sup>{mark}</sup> ' if mark else ''}{_md(text)}  " for mark, text in table.all_notes
    ]
    text = "\n".join([*title, *lines, *([""] if notes else []), *notes]) + "\n"
    return text if table.differences is None else f"{text}\n{markdown(table.differences)}"


def comma_separated(table: ShownTable) -> str:
    """Numbers in full, for machines, in the unit of the title: of a figure the mean, and beside it
    standard deviation, interval and how many runs; of a difference value, interval and p. Texts
    that a spreadsheet would take for formulas are quoted."""
    return _csv(_expanded(table))


def differences_separated(table: ShownTable) -> str | None:
    return None if table.differences is None else _csv(_expanded(table.differences))


def latex(table: ShownTable) -> str:
    """A ``table`` for documents that use booktabs; another one for the differences."""
    form = "".join("r" if one.number else "l" for one in table.head)
    head = " & ".join(latex_text(one.text) for one in table.head)
    rows = [" & ".join(_tex(cell) for cell in row) + r" \\" for row in table.rows]
    notes = [
        rf"\par\footnotesize {f'${{}}^{{{mark}}}$ ' if mark else ''}{latex_text(text)}"
        for mark, text in table.all_notes
    ]
    lines = [
        r"% \usepackage{booktabs}",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{latex_text(table.title or table.name)}}}",
        rf"\label{{tab:{re.sub('[^A-Za-z0-9-]', '-', table.name)}}}",
        rf"\begin{{tabular}}{{{form}}}",
        r"\toprule",
        rf"{head} \\",
        r"\midrule",
        *rows,
        r"\bottomrule",
        r"\end{tabular}",
        *notes,
        r"\end{table}",
    ]
    text = "\n".join(lines) + "\n"
    return text if table.differences is None else f"{text}\n{latex(table.differences)}"


def latex_text(text: str) -> str:
    return "".join(_LATEX.get(letter, letter) for letter in printable(text))


def _md(text: str) -> str:
    """Escaped where Markdown would take it for a sign of its own, else as it is."""
    escaped = _MARKDOWN.sub(r"\\\1", printable(text))
    plain = _HARMLESS.sub(lambda match: match[1] or match[2], escaped)
    return _ITEM.sub(r"\1\\\2", plain)


def _raised(cell: Shown) -> str:
    return "".join(f"<sup>{mark}</sup>" for mark in cell.marks)


def _tex(cell: Shown) -> str:
    marks = f"${{}}^{{{','.join(cell.marks)}}}$" if cell.marks else ""
    text = latex_text(cell.line)
    return (_MINUS.sub("$-$", text) if cell.numbers else text) + marks


def _expanded(table: ShownTable) -> Iterator[list[str]]:
    """Head and rows, a column for each number that some cell of a column has."""
    keys: list[dict[str, None]] = [{} for _ in table.head]
    for row in table.rows:
        for place, cell in enumerate(row):
            keys[place] |= dict.fromkeys(cell.numbers)
    named = zip(table.head, keys, strict=True)
    yield [f"{head.text}: {key}" if key else head.text for head, of in named for key in of or ("",)]
    for row in table.rows:
        cells = zip(row, keys, strict=True)
        yield [
            _number(cell, key) if key else cell.text for cell, of in cells for key in of or ("",)
        ]


def _number(cell: Shown, key: str) -> str:
    value = cell.numbers.get(key)
    return "" if value is None else str(value)


def _csv(rows: Iterator[list[str]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerows([_plain(one) for one in row] for row in rows)
    return buffer.getvalue()


def _plain(text: str) -> str:
    text = printable(text)
    is_number = re.fullmatch(r"[+-]?(\d[\d,]*\.?\d*|\.\d+)([eE][+-]?\d+)?", text)
    return f"'{text}" if text.startswith(_FORMULA) and text != "-" and not is_number else text
