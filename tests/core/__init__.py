"""Words and arithmetic, tested without anything running."""
