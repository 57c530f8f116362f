"""Answers and conversations as files: the same text, citations and order as the page, with numbered footnotes."""
