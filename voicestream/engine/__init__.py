"""The engine: a resident process that speaks for others, so that nothing has to be loaded first."""
