"""The command line: options, exit codes, and the only place that reports errors to a person."""
