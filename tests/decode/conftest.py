"""How the decoders' tests run."""

from __future__ import annotations

from hypothesis import settings

# Whole replies are decoded in pieces of a byte: that has no place in a tight deadline.
settings.register_profile("decode", deadline=None)
settings.load_profile("decode")
