"""Samples of each format, made with the library that the format is of."""
