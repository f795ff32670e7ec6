"""The vendors in a box: each quirk by raw requests."""
