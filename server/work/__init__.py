"""The clock's edge: draining the jobs. Job rows are the truth; an engine only wakes the runner."""
