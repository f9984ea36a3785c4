"""Tiny models that really run, made by the libraries themselves when tests ask for them."""
