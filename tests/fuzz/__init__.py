"""Foreign bytes against everything that reads them, and what must hold whatever they are."""
