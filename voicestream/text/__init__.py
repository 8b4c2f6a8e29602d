"""The stages before speech: where text comes from, and what one request will speak."""
