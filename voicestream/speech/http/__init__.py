"""The OpenAI-compatible speech route over HTTP, from a request to the bytes of its reply."""
