"""What crosses a network or a file: topics, messages, signatures. Pure, like policy."""
