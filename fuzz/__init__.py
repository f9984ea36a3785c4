"""Mutated files against every reader."""
