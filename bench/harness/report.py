# SPDX-License-Identifier: MIT OR Apache-2.0
"""Runs to tables. A ratio is taken inside a round, against the baseline of the same round, so that
what drifts on the machine drifts in both; the table shows medians."""

from statistics import median

HEAD = ("server", "requests/s", "× {}", "CPU µs/request", "× {}", "server %", "generator %", "others %")


class Table:
    """The runs of one workload."""

    def __init__(self, workload, servers, baseline):
        self.workload = workload
        self.servers = servers
        self.baseline = baseline
        self.results = {server.name: {} for server in servers}  # by name, then by round
        self.faults = {}  # by name: why there is no ratio

    def add(self, server, round_number, result):
        """Takes a run that came to its end, with or without errors."""
        self.results[server.name][round_number] = result
        if result.errors:
            self.fault(server, f"{result.errors} errors in round {round_number + 1}")

    def fault(self, server, reason):
        """Notes that a server's figures are not to be compared."""
        self.faults.setdefault(server.name, reason)

    def ratio(self, name, figure):
        """Median over the rounds of this server's figure to the baseline's; None where it would mislead."""
        runs, base = self.results[name], self.results.get(self.baseline, {})
        both = runs.keys() & base.keys()
        if not both or name in self.faults or self.baseline in self.faults:
            return None
        return median(getattr(runs[r], figure) / getattr(base[r], figure) for r in both)

    def row(self, name):
        """The cells of one server."""
        runs = self.results[name].values()
        if not runs:
            return [name] + ["–"] * (len(HEAD) - 1)

        def middle(figure, form, scale=1):
            return format(scale * median(getattr(run, figure) for run in runs), form)

        def against(figure):
            value = self.ratio(name, figure)
            return "–" if value is None else f"{value:.2f}"

        return [
            name, middle("rate", ",.0f"), against("rate"), middle("cpu_us", ",.2f"), against("cpu_us"),
            middle("server_busy", ".0f", 100), middle("generator_busy", ".0f", 100), middle("others", ".0f", 100),
        ]

    def lines(self):
        """The table in Markdown, aligned for the eye as well."""
        head = [cell.format(self.baseline) for cell in HEAD]
        rows = [head, *(self.row(server.name) for server in self.servers)]
        widths = [max(len(row[i]) for row in rows) for i in range(len(head))]

        def line(row):
            cells = (c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths)))
            return f"| {' | '.join(cells)} |"

        rule = "|".join("-" * (w + 1) + (":" if i else "-") for i, w in enumerate(widths))
        yield f"### {self.workload.title}, {self.workload.connections} connections"
        yield ""
        yield line(head)
        yield f"|{rule}|"
        yield from (line(row) for row in rows[1:])
        for name, reason in self.faults.items():
            yield ""
            yield f"No ratio for {name}: {reason}."
