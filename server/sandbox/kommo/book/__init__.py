"""The state of an account and every action on it, without HTTP: tests and the board act here."""
