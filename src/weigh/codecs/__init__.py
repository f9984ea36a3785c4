"""Encodings that know nothing of models, and the bounded walk they are all read by."""
