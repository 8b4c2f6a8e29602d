"""The microphone, and who speaks into it: a process of its own, see ``ears``."""
