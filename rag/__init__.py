"""Question → grounded answer. Imports index, never web."""
