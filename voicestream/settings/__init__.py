"""Settings: one frozen object, where each value comes from, the only readers of the environment."""
