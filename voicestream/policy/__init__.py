"""Playout policies: when to start, to wait and to go on, what they learn, their simulation."""
