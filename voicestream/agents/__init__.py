"""Coding agents that speak: their hook events, one speaker a session, and an MCP server."""
