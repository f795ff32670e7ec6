"""What a measurement found, and how it is printed: figure, target, met or missed."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One line. ``met`` is None where nothing was promised."""

    name: str
    value: str
    target: str = ""
    met: bool | None = None


def at_most(name: str, value: float, limit: float, form: str = "{:.2f}") -> Figure:
    return Figure(name, form.format(value), f"at most {form.format(limit)}", value <= limit)


def exactly(name: str, value: int, wanted: int) -> Figure:
    return Figure(name, str(value), f"exactly {wanted}", value == wanted)


def plain(name: str, value: str) -> Figure:
    return Figure(name, value)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that ``percent`` of all do not exceed."""
    ranked = sorted(values)
    return ranked[max(0, -(-len(ranked) * percent // 100).__int__() - 1)]


def spread(values: Sequence[float]) -> str:
    """Milliseconds: p50, p99 and the worst."""
    half, most = (percentile(values, p) * 1000 for p in (50, 99))
    return f"p50 {half:.1f} · p99 {most:.1f} · worst {max(values) * 1000:.1f} ms"


def show(title: str, figures: Sequence[Figure]) -> None:
    print(f"\n{title}")
    for one in figures:
        print(f"  {_verdict(one):6} {one.name:46} {one.value:42} {one.target}".rstrip(), flush=True)


def _verdict(one: Figure) -> str:
    return "" if one.met is None else "met" if one.met else "MISSED"
