# SPDX-License-Identifier: MIT OR Apache-2.0
"""Runs to tables: figures, and their ratios to the baseline.

The results are plain data, as they stand in the file:
{"benches": {bench: {"title", "unit", "baseline", "runs": {peer: {case: [{measure: value}, …]}}}}}.
"""

from harness import tables


def value(bench, peer, case, measure):
    """Median over the rounds; None if there was no run."""
    return tables.middle(bench["runs"].get(peer, {}).get(case, []), measure)


def ratio(bench, peer, case, measure):
    """Median over the rounds of the peer's figure to the baseline's."""
    return tables.ratio(*(bench["runs"].get(who, {}).get(case, []) for who in (peer, bench["baseline"])), measure)


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
            figure = value(bench, peer, case, measure)
            form = ",.0f" if figure is not None and figure >= 100 else ".1f"
            cells += [tables.cell(figure, form), tables.cell(ratio(bench, peer, case, measure), ".2f")]
        rows.append(cells)
    return tables.markdown(rows)
