"""Werkzeug compiles a function for each route of each app: a fifth of the time of every test that
starts Billhook and the sandbox. What is compiled takes its rule as an argument, so equal routes
can have one."""

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule

_compile = Rule._compile_builder
_compiled: dict[str, Callable[..., Any]] = {}


def _compiled_once(rule: Rule, append_unknown: bool = True) -> Callable[..., Any]:
    converters = {name: type(converter) for name, converter in rule._converters.items()}
    key = repr((rule.rule, rule._trace, converters, rule.defaults, append_unknown))
    if key not in _compiled:
        _compiled[key] = _compile(rule, append_unknown)
    return _compiled[key]


def compile_routes_once() -> None:
    Rule._compile_builder = _compiled_once  # type: ignore[method-assign]
