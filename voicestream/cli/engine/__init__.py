"""``engine`` and its two sides: the command, the front of a call, and what is done with one."""
