"""The peer and us on the same bytes."""
