"""What makes bytes last: atomic and durable commits, safetensors in and out, limits."""
