"""Text in: a reference taken apart, a name taken apart."""
