"""What a new Raspberry Pi needs: from a few answers to edge.toml, config.txt and what its service adds."""
