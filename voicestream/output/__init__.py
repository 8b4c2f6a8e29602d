"""Sinks: where samples go."""
