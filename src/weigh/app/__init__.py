"""The use cases, each a function of values: what the commands and the servers call."""
