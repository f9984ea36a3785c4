"""The commands: the only place that prints, exits, and reads arguments and the environment."""
