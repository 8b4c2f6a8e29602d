"""Sound to bytes: what ``serve`` sends and what is saved."""
