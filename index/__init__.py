"""Documents → a searchable snapshot. Imports nothing of ours from outside this package."""
