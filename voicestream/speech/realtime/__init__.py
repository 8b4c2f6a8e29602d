"""Speech from a Realtime API: one WebSocket for many segments."""
