"""The number of the JSON form: fields are only added; it changes when one would have to go."""

SCHEMA = 1
