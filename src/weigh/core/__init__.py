"""The values every floor shares; no input, no output, no decisions."""
