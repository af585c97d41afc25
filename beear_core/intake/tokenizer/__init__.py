"""Tokenizers: what tokenizer.json says, and what it makes of ordinary sentences. Answers questions; judges nothing."""
