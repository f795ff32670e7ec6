"""Words and arithmetic: vendor-free, I/O-free. Knows no other part."""
