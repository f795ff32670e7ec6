"""The stories, each against the sandbox."""
