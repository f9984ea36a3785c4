"""Servers: of running models, of vetted models as a hub, of a page; they do not know each other."""
