"""One server, many models, in the words of the clients that exist."""
