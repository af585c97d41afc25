"""Chat templates: where they hide, what their grammar says, and what they write. Text in, questions answered; no rule."""
