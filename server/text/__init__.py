"""Words, figures and pictures for people."""
