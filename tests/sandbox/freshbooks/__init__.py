"""FreshBooks in a box."""
