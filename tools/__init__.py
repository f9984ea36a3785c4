"""What makes samples and first looks."""
