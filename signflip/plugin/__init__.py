"""The pytest plugin: hooks, options, admission of checks, the runner, replay, and the run's log."""
