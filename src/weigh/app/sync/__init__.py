"""`weigh catalog sync`: what others publish, heard, compared with the table and kept beside it."""
