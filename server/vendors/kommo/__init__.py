"""Kommo, where deals live. Its word "lead" stops here: outside this folder it is a *deal*."""
