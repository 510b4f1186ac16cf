# SPDX-License-Identifier: MIT OR Apache-2.0
"""Runs to tables. A ratio is taken inside a round, against the baseline of the same round, so that what
drifts on the machine drifts in both; the tables show medians.

The results are plain data, as they stand in the file:
{"benches": {bench: {"title", "unit", "baseline", "runs": {peer: {case: [{measure: value}, …]}}}}}.
"""

from statistics import median


def value(bench, peer, case, measure):
    """Median over the rounds; None if there was no run."""
    runs = bench["runs"].get(peer, {}).get(case, [])
    return median(run[measure] for run in runs) if runs else None


def ratio(bench, peer, case, measure):
    """Median over the rounds of the peer's figure to the baseline's."""
    runs, base = (bench["runs"].get(who, {}).get(case, []) for who in (peer, bench["baseline"]))
    pairs = [run[measure] / other[measure] for run, other in zip(runs, base) if other[measure] > 0]
    return median(pairs) if pairs else None


def columns(bench):
    """(heading, case, measure) of each column."""
    seen = {}
    for cases in bench["runs"].values():
        for case, runs in cases.items():
            for run in runs:
                seen.update({(case, measure): None for measure in run})
    many_cases = len({case for case, _ in seen}) > 1
    return [(heading(case) if many_cases else measure, case, measure) for case, measure in seen]


def heading(case):
    """A case as a person reads it."""
    return f"{int(case):,}" if case.isdigit() else case


def table(bench):
    """The table in Markdown, aligned for the eye as well: figures, and ratios to the baseline."""
    heads = columns(bench)
    rows = [[bench["unit"], *(cell for head, _, _ in heads for cell in (head, "×"))]]
    for peer in bench["runs"]:
        cells = [peer]
        for _, case, measure in heads:
            figure, times = value(bench, peer, case, measure), ratio(bench, peer, case, measure)
            cells += ["–" if figure is None else f"{figure:,.0f}" if figure >= 100 else f"{figure:.1f}",
                      "–" if times is None else f"{times:.2f}"]
        rows.append(cells)
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]

    def line(row):
        cells = (c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths)))
        return f"| {' | '.join(cells)} |"

    rule = "|".join("-" * (w + 1) + (":" if i else "-") for i, w in enumerate(widths))
    return [line(rows[0]), f"|{rule}|", *(line(row) for row in rows[1:])]
