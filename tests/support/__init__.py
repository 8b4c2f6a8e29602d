"""The laboratory: a loudspeaker that can be listened to, and a server that can misbehave."""
