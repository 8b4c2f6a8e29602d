"""The tests. Helpers are imported as ``tests.support.<name>``."""
