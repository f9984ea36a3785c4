"""weigh tells what an AI model is before it is loaded."""
