"""The embedded voice as an OpenAI-compatible server (the extra ``serve``)."""
