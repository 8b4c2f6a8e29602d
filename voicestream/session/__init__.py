"""The conductor: threads, order, cancel and drain of one reply."""
