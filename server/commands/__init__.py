"""What the ``billhook`` command can do, a story a file. Commands write rows; jobs do the work."""
