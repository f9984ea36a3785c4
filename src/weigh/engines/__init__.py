"""What runs models: one file an engine."""
