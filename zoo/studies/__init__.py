"""Many runs, one table: a TOML file that varies a recipe, carried out and measured."""
