"""One voice at a time: the floor, the control socket of each process that speaks, the verbs."""
