"""Speech from any OpenAI-compatible endpoint, played while it is still arriving."""
