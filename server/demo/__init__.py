"""The demo: the sandbox and Billhook beside it, connected by the real redirects and seeded.

Wiring, like ``cli``: it may know everyone, the sandbox included.
"""
