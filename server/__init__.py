"""Billhook: a sale becomes an invoice.

The parts, and who may import whom (downwards only; import-linter proves it):

    cli, app            wiring: may know everyone
    web  |  work        edges: HTTP in, clock in; they do not know each other
    flows               stories: one a file
    vendors | store     outside | memory; they do not know each other
    core                words and arithmetic; knows nobody

``sandbox`` stands beside the tower: the vendors in a box, imported by cli and tests only.
"""

__version__ = "0.1.0"
