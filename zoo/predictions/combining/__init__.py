"""Several members' answers as one: by rules that are chosen on val and on nothing else."""
