"""What to do: TOML and flags, checked and completed, become a recipe."""
