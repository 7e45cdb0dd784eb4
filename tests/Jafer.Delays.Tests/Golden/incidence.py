#!/usr/bin/env python3
"""Independent reference for Jafer.Delays: writes incidence.json beside itself.

Plain arithmetic on lists of single waits, by the definitions in the papers and without any of the shortcuts of the library: exact
fractions, every variance as the double sum that defines it. Run it with Python 3.8 or later; nothing else is needed.
"""
import json
import random
from fractions import Fraction as F
from pathlib import Path

# J. Freireich et al. (1963), as given by E. A. Gehan, Biometrika 52 (1965): weeks of remission of children under 6-MP and placebo.
SIX_MP = [(6, "P"), (6, "P"), (6, "P"), (7, "P"), (10, "P"), (13, "P"), (16, "P"), (22, "P"), (23, "P"),
          (6, "W"), (9, "W"), (10, "W"), (11, "W"), (17, "W"), (19, "W"), (20, "W"), (25, "W"), (32, "W"), (32, "W"), (34, "W"), (35, "W")]


def estimate(waits):
    """Still, passed and ended by day, each with its variance."""
    days = sorted({d for d, o in waits if o != "W"})
    rows, still, passed, ended, steps = [], F(1), F(0), F(0), []
    for day in days:
        n = sum(1 for d, _ in waits if d >= day)
        p = sum(1 for d, o in waits if d == day and o == "P")
        e = sum(1 for d, o in waits if d == day and o == "E")
        before = still
        passed += before * F(p, n)
        ended += before * F(e, n)
        still *= 1 - F(p + e, n)
        steps.append((before, n, p, e, passed, ended))
        greenwood = sum(F(p_ + e_, n_ * (n_ - p_ - e_)) for _, n_, p_, e_, _, _ in steps if n_ > p_ + e_)
        rows.append({"days": day, "still": float(still), "still_variance": float(still * still * greenwood),
                     "passed": float(passed), "passed_variance": float(variance(steps, passed, 2, 4)),
                     "ended": float(ended), "ended_variance": float(variance(steps, ended, 3, 5))})
    return rows, passed, ended, still


def variance(steps, at, going, incidence):
    """E. Marubini, M. G. Valsecchi (1995), formula 10.12."""
    total = F(0)
    for step in steps:
        before, n, p, e = step[:4]
        d, own, gap = p + e, step[going], at - step[incidence]
        if n > d:
            total += gap * gap * F(d, n * (n - d))
        total += before * before * F(own * (n - own), n ** 3) - 2 * gap * before * F(own, n * n)
    return total


def quantile(rows, eventual, share):
    """The first day by which the share of those that pass in the end has passed."""
    for row in rows:
        if row["passed"] >= share * float(eventual) - 1e-9:
            return row["days"]
    return None


def case(name, waits):
    rows, passed, ended, still = estimate(waits)
    eventual = passed + still * passed / (passed + ended) if passed + ended > 0 else F(0)
    return {"name": name, "waits": [{"days": d, "outcome": o} for d, o in waits], "rows": rows, "eventual": float(eventual),
            "quantiles": [{"share": s, "days": quantile(rows, eventual, s) if eventual else None} for s in (0.1, 0.5, 0.8, 0.9)]}


def drawn(seed, count, span, weights):
    rng = random.Random(seed)
    return [(rng.randint(0, span), rng.choices("PEW", weights)[0]) for _ in range(count)]


cases = [
    case("6-MP", SIX_MP),
    case("six by hand", [(1, "P"), (2, "E"), (3, "W"), (4, "P"), (5, "E"), (6, "W")]),
    case("nobody waits", drawn(1, 40, 60, (3, 1, 0))),
    case("many wait", drawn(2, 200, 400, (2, 1, 3))),
    case("ties", drawn(3, 300, 12, (3, 2, 2))),
    case("a cell", drawn(4, 12, 250, (4, 2, 2))),
    case("nothing passed", [(3, "E"), (5, "W")]),
    case("none at all", []),
]
lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
Path(__file__).with_name("incidence.json").write_text("[\n" + lines + "\n]\n", encoding="utf-8")
