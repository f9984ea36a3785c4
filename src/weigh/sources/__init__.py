"""Bytes at an offset, and the folders that hold them: the rim where reading happens."""
