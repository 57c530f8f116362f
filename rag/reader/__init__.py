"""The reader: (question, window) → does the window answer, and with which words. See MODEL_CARD.md."""
