"""The human page of the sandbox: a board like Kommo's, FreshBooks' books, and the fault desk.

What a person does here changes the emulated vendors alone; the product hears of it as it would
outside, by hooks. The control app serves it at "/".
"""

from .routes import blueprint

__all__ = ["blueprint"]
