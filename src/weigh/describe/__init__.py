"""What headers, configurations and names say of one model, brought together."""
