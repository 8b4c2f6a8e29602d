"""Samples to samples: join, level, convert, stretch. Every stage has feed and flush."""
