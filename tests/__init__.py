"""The tests, as a package: they import each other as ``tests.<folder>.<module>``."""
