# SPDX-License-Identifier: MIT OR Apache-2.0
"""Runs to figures and figures to tables. The runs of a contestant are a list, one place per round, of
{figure: value}, or of None where there was none."""

from statistics import median


def middle(runs, figure):
    """Median over the rounds; None if there was no run."""
    values = [run[figure] for run in runs if run]
    return median(values) if values else None


def ratio(runs, base, figure):
    """Median over the rounds of the figure to that of the base **in the same round**, so that what
    drifts on the machine drifts in both; None if they have no round together."""
    pairs = [run[figure] / other[figure] for run, other in zip(runs, base) if run and other and other[figure] > 0]
    return median(pairs) if pairs else None


def cell(value, form):
    """A figure as text; a dash where there is none."""
    return "–" if value is None else format(value, form)


def markdown(rows):
    """The lines of a table whose first row is its head, aligned for the eye as well."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]

    def line(row):
        cells = (c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths)))
        return f"| {' | '.join(cells)} |"

    rule = "|".join("-" * (w + 1) + (":" if i else "-") for i, w in enumerate(widths))
    return [line(rows[0]), f"|{rule}|", *(line(row) for row in rows[1:])]
