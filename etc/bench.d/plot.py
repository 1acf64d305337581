#!/usr/bin/env python3
"""plot.py REPORT.json PLOT.svg: draws the charts of a benchmark's report; report.sh says what shape they have."""

import json
import math
import sys
from html import escape

WIDTH, HEIGHT = 640, 330  # of a chart
LEFT, RIGHT, TOP, BOTTOM = 62, 16, 62, 50  # margins around its plane
COLUMNS = 2
HEAD = 64  # above all charts
COLOURS = ["#1f5fa8", "#e08a2e", "#3b8f5a", "#a23b72", "#6b6b6b", "#7a5cc0"]
GRID, INK, FAINT = "#e3e3e3", "#222222", "#666666"


def number(value):
    """Three digits that count, without an exponent."""
    if value == 0:
        return "0"
    if abs(value) >= 10_000:
        return f"{value / 1e6:g}M" if value % 1e5 == 0 and value >= 1e6 else f"{value / 1e3:.0f}k"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def text(x, y, words, size=12, anchor="start", colour=INK, weight="normal", turn=None):
    turned = f' transform="rotate({turn} {x:.1f} {y:.1f})"' if turn else ""
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}"'
            f' font-weight="{weight}"{turned}>{escape(words)}</text>')


def line(x1, y1, x2, y2, colour=GRID, width=1.0, dash=None):
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"{dashed}/>'


class Scale:
    """From values to places on an axis, with round numbers to label."""

    def __init__(self, values, log, start, end, from_zero=True):
        self.log, self.start, self.end = log, start, end
        positive = [value for value in values if value > 0] or [1]
        if log:
            self.least = 10 ** math.floor(math.log10(min(positive)))
            self.most = max(10 * self.least, 10 ** math.ceil(math.log10(max(positive)) - 1e-9))
            decades = round(math.log10(self.most / self.least))
            self.ticks = [self.least * 10 ** decade for decade in range(decades + 1)]
        else:
            self.least = 0 if from_zero else min(values)
            step = self.round_step((max(positive) * 1.12 - self.least) / 5)
            self.most = math.ceil(max(positive) * 1.12 / step) * step
            self.ticks = [self.least + step * index for index in range(round((self.most - self.least) / step) + 1)]

    @staticmethod
    def round_step(step):
        power = 10 ** math.floor(math.log10(step))
        return next(power * nice for nice in (1, 2, 2.5, 5, 10) if power * nice >= step)

    def __call__(self, value):
        if self.log:
            part = math.log(max(value, self.least) / self.least) / math.log(self.most / self.least)
        else:
            part = (value - self.least) / (self.most - self.least)
        return self.start + (self.end - self.start) * part


def frame(chart, y, log):
    """The titles, and the grid of the y axis."""
    better = {"less": "less is better", "more": "more is better"}.get(chart.get("better"), "")
    unit = chart["unit"] + (", logarithmic" if log else "") + (f" · {better}" if better else "")
    drawn = [text(LEFT, 20, chart["title"], size=15, weight="bold"), text(LEFT, 38, unit, colour=FAINT)]
    for tick in y.ticks:
        drawn.append(line(LEFT, y(tick), WIDTH - RIGHT, y(tick)))
        drawn.append(text(LEFT - 7, y(tick) + 4, number(tick), size=11, anchor="end", colour=FAINT))
    return drawn


def bars(chart):
    series, groups = chart["series"], chart["groups"]
    everything = [value for one in series for triple in one["values"] if triple for value in triple]
    y = Scale(everything or [1], chart.get("log", False), HEIGHT - BOTTOM, TOP)
    drawn = frame(chart, y, y.log)
    each = (WIDTH - LEFT - RIGHT) / len(groups)
    width = min(44, each * 0.84 / len(series))
    for index, group in enumerate(groups):
        shown = [place for place, one in enumerate(series) if one["values"][index]]
        centre = LEFT + each * (index + 0.5)
        for place, which in enumerate(shown):
            median, least, most = series[which]["values"][index]
            x = centre + (place - len(shown) / 2) * width
            middle = x + width / 2
            drawn.append(f'<rect x="{x + 1:.1f}" y="{y(median):.1f}" width="{width - 2:.1f}" height="{max(0.5, y(y.least) - y(median)):.1f}"'
                         f' fill="{COLOURS[which % len(COLOURS)]}"><title>{escape(series[which]["name"])}: {median:g}'
                         f' ({least:g} to {most:g})</title></rect>')
            if most > least:
                drawn.append(line(middle, y(least), middle, y(most), INK, 1.2))
                drawn += [line(middle - 3, y(end), middle + 3, y(end), INK, 1.2) for end in (least, most)]
            drawn.append(text(middle, y(max(most, median)) - 5, number(median), size=11, anchor="middle"))
        for row, words in enumerate(group.split(", ")):
            drawn.append(text(centre, HEIGHT - BOTTOM + 17 + 14 * row, words, anchor="middle"))
    drawn.append(line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, INK))
    return drawn


def lines(chart):
    points = [point for one in chart["series"] for point in one["points"]]
    x = Scale([point[0] for point in points], chart["x"].get("log", False), LEFT, WIDTH - RIGHT)
    y = Scale([point[1] for point in points], chart.get("y", {}).get("log", False), HEIGHT - BOTTOM, TOP)
    drawn = frame(chart, y, y.log)
    for tick in x.ticks:
        drawn.append(line(x(tick), TOP, x(tick), HEIGHT - BOTTOM))
        drawn.append(text(x(tick), HEIGHT - BOTTOM + 17, number(tick), size=11, anchor="middle", colour=FAINT))
    for index, one in enumerate(chart["series"]):
        colour = COLOURS[index % len(COLOURS)]
        places = [(x(a), y(b)) for a, b in one["points"]]
        drawn.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="'
                     + " ".join(f"{a:.1f},{b:.1f}" for a, b in places) + '"/>')
        drawn += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"><title>{p[0]:g}: {p[1]:g}</title></circle>'
                  for (a, b), p in zip(places, one["points"])]
    drawn.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - BOTTOM + 35, chart["x"]["unit"], anchor="middle", colour=FAINT))
    return drawn + [line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, INK)]


def legend(names, y):
    drawn, x = [], WIDTH - RIGHT
    for index, name in reversed(list(enumerate(names))):
        x -= 7.2 * len(name)
        drawn.append(text(x, y, name))
        drawn.append(f'<rect x="{x - 17}" y="{y - 10}" width="11" height="11" fill="{COLOURS[index % len(COLOURS)]}"/>')
        x -= 34
    return drawn


def conditions(report):
    """The small print under the title: the machine, and how often it was measured."""
    machine, parameters = report["machine"], report.get("parameters", {})
    said = [f"{machine['cpu']}, {machine['cores']} cores, {machine['kernel']}", report["date"][:10]]
    if "rounds" in parameters:
        said.insert(1, f"rounds: {parameters['rounds']}; medians, whiskers from least to most")
    return " · ".join(said)


def draw(report):
    charts = report["charts"]
    columns = min(COLUMNS, len(charts))
    # One chart may be narrower than what is said of it.
    width = max(WIDTH * columns, LEFT + RIGHT + round(6.6 * len(conditions(report))))
    height = HEAD + HEIGHT * math.ceil(len(charts) / columns)
    drawn = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
             ' font-family="DejaVu Sans, Verdana, sans-serif">',
             f'<rect width="{width}" height="{height}" fill="white"/>',
             text(LEFT, 32, f"etc/bench {report['benchmark']}", size=20, weight="bold"),
             text(LEFT, 52, conditions(report), colour=FAINT)]
    for index, chart in enumerate(charts):
        x, y = WIDTH * (index % columns), HEAD + HEIGHT * (index // columns)
        drawn.append(f'<g transform="translate({x} {y})">')
        drawn += {"bars": bars, "lines": lines}[chart["kind"]](chart)
        drawn += legend([one["name"] for one in chart["series"]], 38)
        drawn.append("</g>")
    return "\n".join(drawn + ["</svg>"]) + "\n"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        report = json.load(file)
    if not report.get("charts"):
        sys.exit(f"{sys.argv[1]}: it has no charts")
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write(draw(report))


if __name__ == "__main__":
    main()
