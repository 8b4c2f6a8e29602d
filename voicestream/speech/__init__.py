"""Endpoints: where speech is asked for."""
