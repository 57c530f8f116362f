"""Who does the work of a rebuild: this machine alone, or the workers of a cluster. They make the same versions."""

ENGINES = ("local", "ray")
