# SPDX-License-Identifier: MIT OR Apache-2.0
"""The results of the servers, workload by workload, as tables and as bars.

They are plain data, as they stand in the file: {"workloads": {workload: {"runs": {server: [figures of
each round, or null]}, "faults": {server: why it has no ratios}}}}.
"""

from . import tables
from .servers import FLOOR, NGINX_NAME, OURS
from .workloads import IDLE_BYTES


def comparable(result, server):
    """The runs of a server, or none if they were not all right."""
    return [] if server in result["faults"] else result["runs"].get(server, [])


def against(result, server, base, figure):
    """Ratio to another server, in the same round."""
    return tables.ratio(comparable(result, server), comparable(result, base), figure)


def columns(workload, result):
    """(heading, server → text) of each column but the first."""
    def figure(name, form=",.0f"):
        return name, lambda server: tables.cell(tables.middle(result["runs"][server], name), form)

    def times(base, name):
        return f"× {base}", lambda server: tables.cell(against(result, server, base, name), ".2f")

    def limit(most, heading="limit"):
        return heading, lambda server: f"≤ {most}" if server == OURS else ""

    processor = [figure("RSS MiB", ",.1f"), figure("server %"), figure("generator %"), figure("others %")]
    if workload.rate:
        return [figure("p50 µs"), figure("p99 µs"), times(FLOOR, "p99 µs"), limit(workload.limit),
                figure("CPU µs", ",.2f"), *processor]
    if workload.idle:
        return [figure("alone µs", ",.2f"), figure("CPU µs", ",.2f"), figure("× alone", ".2f"), limit(workload.limit),
                figure("bytes each"), limit(IDLE_BYTES, "limit, bytes"), *processor]
    return [figure("requests/s"), figure("CPU µs", ",.2f"), times(FLOOR, "CPU µs"), limit(workload.limit),
            times(NGINX_NAME, "CPU µs"), *processor]


def table(workload, result):
    """The lines of a workload's table, and what went wrong."""
    heads = columns(workload, result)
    rows = [["server", *(heading for heading, _ in heads)]]
    rows += [[server, *(text(server) for _, text in heads)] for server in result["runs"]]
    return [*tables.markdown(rows),
            *(line for server, why in result["faults"].items() for line in ("", f"No ratio for {server}: {why}."))]


def bars(workloads, results):
    """{workload: {server: processor time in terms of the floor's}} for a plot."""
    groups = {}
    for workload in workloads:
        result = results[workload.name]
        ratios = {server: against(result, server, FLOOR, "CPU µs") for server in result["runs"]}
        groups[workload.name] = {server: ratio for server, ratio in ratios.items() if ratio is not None}
    return groups
