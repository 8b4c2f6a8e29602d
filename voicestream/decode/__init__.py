"""Encoded bytes to samples, as they arrive."""
