"""FreshBooks as we call it."""
