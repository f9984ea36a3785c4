"""What was fetched and is kept: bytes known by their hashes, in the layouts that other programs read."""
