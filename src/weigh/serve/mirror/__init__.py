"""Vetted models as a private hub, in the words of the stock clients of Hugging Face, ModelScope and Ollama."""
