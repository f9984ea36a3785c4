"""A private hub's content: which models a folder or a cache holds, what their files are, what was found of them."""
