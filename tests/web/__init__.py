"""The HTTP edge, from the outside."""
