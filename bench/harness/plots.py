# SPDX-License-Identifier: MIT OR Apache-2.0
"""Plots of results as SVG, drawn by hand: lines over a count, and bars."""

import math
from html import escape

WIDTH, HEIGHT = 880, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 170, 56, 52
COLOURS = {
    "epoll": "#16222a", "epoll, edge": "#8b969c", "wheel": "#16222a", "evl": "#0b7a75", "evl, edge": "#5fb3ae",
    "evl, batch": "#5fb3ae", "evl on poll": "#c2703d", "evl on select": "#8d5a97", "libev": "#c2703d",
    "libevent": "#b03a48", "libuv": "#8d5a97", "mio": "#d5a021", "polling": "#4f6d9c",
    "floor": "#16222a", "evl-uring": "#5fb3ae", "nginx": "#2f8f4e", "nginx + file cache": "#8cc79b", "h2o": "#4f6d9c",
    "lighttpd": "#d5a021", "libmicrohttpd": "#8d5a97", "evhttp": "#b03a48", "hyper": "#c2703d",
}
STYLE = """\
  <style>
    .sheet { fill: #faf8f4 } .grid { stroke: #e3ded3 } .title { font-weight: 650; font-size: 17px; fill: #16222a }
    .label { font-size: 12px; fill: #57656d } .line { fill: none; stroke-width: 2 }
  </style>"""


def document(title, body):
    """A sheet with a title."""
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'font-family="system-ui, sans-serif" role="img"><title>{escape(title)}</title>',
        STYLE,
        f'  <rect class="sheet" width="{WIDTH}" height="{HEIGHT}" rx="14"/>',
        f'  <text class="title" x="24" y="32">{escape(title)}</text>',
        *(f"  {line}" for line in body),
        "</svg>", ""])


def steps(most):
    """Round numbers from 0 to a bit beyond `most`."""
    step = 10 ** math.floor(math.log10(most))
    step = next(step * part for part in (0.2, 0.5, 1, 2) if most / (step * part) <= 6)
    return [step * i for i in range(math.ceil(most / step) + 1)]


def powers(least, most):
    """Powers of ten around a range."""
    return [10.0 ** n for n in range(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)]


def number(value):
    """A number on an axis."""
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def text(x, y, words, anchor="start"):
    """A label."""
    return f'<text class="label" x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{escape(words)}</text>'


def rows(marks, place, unit):
    """Horizontal lines with their values."""
    for mark in marks:
        y = place(mark)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield text(LEFT - 8, y + 4, number(mark), "end")
    yield text(LEFT - 8, TOP - 6, unit, "end")


def lines(title, unit, axis, series, logarithmic=False):
    """Lines over a logarithmic axis; `series` is {name: [(x, y), …]}."""
    points = [point for of_one in series.values() for point in of_one]
    left, right = (math.log(f(x for x, _ in points)) for f in (min, max))
    values = [y for _, y in points]
    marks = powers(min(values), max(values)) if logarithmic else steps(max(values))
    scale = math.log10 if logarithmic else float
    bottom, top = scale(marks[0]), scale(marks[-1])

    def place_x(x):
        return LEFT + (math.log(x) - left) / (right - left) * (WIDTH - LEFT - RIGHT)

    def place_y(y):
        return HEIGHT - BOTTOM - (scale(y) - bottom) / (top - bottom) * (HEIGHT - TOP - BOTTOM)

    body = [*rows(marks, place_y, unit), text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, axis, "middle")]
    body += [text(place_x(x), HEIGHT - BOTTOM + 18, number(x), "middle") for x in sorted({x for x, _ in points})]
    ends = []
    for name, of_one in series.items():
        path = " ".join(f"{place_x(x):.1f},{place_y(y):.1f}" for x, y in sorted(of_one))
        body.append(f'<polyline class="line" stroke="{COLOURS[name]}" points="{path}"/>')
        ends.append((place_y(max(of_one)[1]), name, place_x(max(of_one)[0])))
    y = TOP
    for wanted, name, x in sorted(ends):
        y = max(y + 15, wanted)  # names do not cover each other
        body.append(f'<text font-size="12" fill="{COLOURS[name]}" x="{x + 8:.0f}" y="{y + 4:.0f}">{name}</text>')
    return document(title, body)


def bars(title, unit, groups, logarithmic=True):
    """Groups of bars; `groups` is {group: {name: value}}."""
    values = [value for group in groups.values() for value in group.values()]
    marks = powers(min(values), max(values)) if logarithmic else steps(max(values))
    scale = math.log10 if logarithmic else float
    bottom, top = scale(marks[0]), scale(marks[-1])

    def place_y(y):
        return HEIGHT - BOTTOM - (scale(y) - bottom) / (top - bottom) * (HEIGHT - TOP - BOTTOM)

    body = list(rows(marks, place_y, unit))
    room = (WIDTH - LEFT - RIGHT) / len(groups)
    for place, (group, figures) in enumerate(groups.items()):
        width = room * 0.84 / len(figures)
        begin = LEFT + place * room + room * 0.08
        body.append(text(begin + room * 0.42, HEIGHT - BOTTOM + 18, group, "middle"))
        for nth, (name, value) in enumerate(figures.items()):
            y = place_y(value)
            body.append(f'<rect fill="{COLOURS[name]}" x="{begin + nth * width:.1f}" y="{y:.1f}" '
                        f'width="{width - 1:.1f}" height="{HEIGHT - BOTTOM - y:.1f}"><title>{name}: {value:,.1f}</title></rect>')
    names = list(dict.fromkeys(name for group in groups.values() for name in group))
    for nth, name in enumerate(names):
        y = TOP + 18 * nth
        body.append(f'<rect fill="{COLOURS[name]}" x="{WIDTH - RIGHT + 16}" y="{y}" width="11" height="11"/>')
        body.append(text(WIDTH - RIGHT + 33, y + 10, name))
    return document(title, body)
