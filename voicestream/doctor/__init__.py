"""Why nothing is heard, or heard badly: what `voicestream doctor` looks at."""
