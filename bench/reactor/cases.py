# SPDX-License-Identifier: MIT OR Apache-2.0
"""What is measured, and against whom. A further peer is a row of `PEERS` and a file in peers/; a further
bench is a row of `BENCHES` and a file in src/."""

import resource
from dataclasses import dataclass

BASELINE = "epoll"
BATCH = 256


@dataclass(frozen=True)
class Peer:
    """One library, built in one way."""

    source: str  # the C file in peers/, or the package of its crate
    says: str
    flags: tuple = ()
    libraries: tuple = ()
    environment: tuple = ()
    package: str = ""  # Debian's, with its header


EVL = {"source": "evl", "libraries": ("-levl",)}
PEERS = {
    "epoll": Peer("epoll", "bare epoll and eventfd"),
    "epoll, edge": Peer("epoll", "the same, edge-triggered", flags=("-DEDGE",)),
    "wheel": Peer("wheel", "a bare timing wheel"),
    "evl": Peer(**EVL, says="one change per call"),
    "evl, edge": Peer(**EVL, says="the same, with EVL_CLEAR", flags=("-DEDGE",)),
    "evl, batch": Peer(**EVL, says=f"{BATCH} changes per call", flags=(f"-DBATCH={BATCH}",)),
    "evl on poll": Peer(**EVL, says="backend poll", environment=(("EVL_BACKEND", "poll"),)),
    "evl on select": Peer(**EVL, says="backend select", environment=(("EVL_BACKEND", "select"),)),
    "libev": Peer("libev", "libev", libraries=("-lev",), package="libev-dev"),
    "libevent": Peer("libevent", "libevent", libraries=("-levent_core", "-levent_pthreads"), package="libevent-dev"),
    "libuv": Peer("libuv", "libuv", libraries=("-luv",), package="libuv1-dev"),
    "mio": Peer("mio", "the crate mio, always edge-triggered"),
    "polling": Peer("polling", "the crate polling, level-triggered"),
}


@dataclass(frozen=True)
class Bench:
    """A program in src/, run with each case's arguments by each peer in turn."""

    name: str
    title: str
    program: str
    unit: str
    cases: dict  # label → arguments
    peers: tuple
    baseline: str
    two_processors: bool = False
    unable: tuple = ()  # (peer, label) that a peer cannot do


def most_descriptors():
    """How many descriptors a process may have."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def pipe_counts(*wanted):
    """The counts of pipes, none larger than the limit of descriptors permits."""
    most = (most_descriptors() - 40) // 2
    return sorted({min(count, most) for count in wanted})


def chains(counts, active, quick):
    """Cases of the chain bench by count of pipes."""
    events = 10_000 if quick else 50_000
    return {count: (count, active, events, 3) for count in counts if active <= count}


LIBRARIES = ("libev", "libevent", "libuv")
CRATES = ("mio", "polling")


def benches(quick):
    """All benches; a quick run has smaller ones."""
    counts = pipe_counts(100, 1000) if quick else pipe_counts(100, 1000, 5000, 10_000, 20_000)
    everybody = ("epoll", "epoll, edge", "evl", "evl, edge", *LIBRARIES, *CRATES)
    timers, passes = (100_000, 1) if quick else (1_000_000, 2)
    descriptors = 1000 if quick else 5000
    backends = pipe_counts(50, 100, 200, 500, 1000, 2000, 5000)[: 4 if quick else None]
    timer_peers = ("wheel", "evl", "evl, batch", *LIBRARIES)
    most = min(20_000, most_descriptors() - 40)
    return [
        *(Bench(f"chain-{active}", f"Pipe chain, {active} active: CPU per event", "chain", "ns",
                chains(counts, active, quick), everybody, BASELINE) for active in (1, 100)),
        Bench("registration", f"Registration of {descriptors:,} descriptors: CPU per operation", "registration", "ns",
              {"": (descriptors, 3)}, ("epoll", "evl", "evl, batch", *LIBRARIES, *CRATES), BASELINE),
        Bench("timers", f"{timers:,} timers: CPU per operation", "timers", "ns",
              {"": (timers, passes)}, timer_peers, "wheel"),
        Bench("wake", "From the wake-up to the return of the other thread's wait", "wake", "ns",
              {"": (500 if quick else 4000,)}, ("epoll", "evl", *LIBRARIES, *CRATES), BASELINE),
        Bench("wake-across", "The same, with the threads on two processors", "wake", "ns",
              {"": (500 if quick else 4000,)}, ("epoll", "evl", *LIBRARIES, *CRATES), BASELINE, two_processors=True),
        Bench("memory", "Memory of the process for each thing that is watched", "memory", "bytes",
              {f"{timers:,} timers": ("timers", timers), f"{most:,} descriptors, READ": ("read", most),
               f"{most:,} descriptors, READ and WRITE": ("both", most)},
              ("evl", *LIBRARIES), "evl"),
        Bench("backends", "Pipe chain, 1 active: evl's backends, CPU per event", "chain", "ns",
              chains(backends, 1, True), ("epoll", "evl", "evl on poll", "evl on select"), BASELINE,
              unable=tuple(("evl on select", count) for count in backends if count > 500)),
    ]
