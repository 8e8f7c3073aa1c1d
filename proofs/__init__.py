"""The proofs of `loquet prove`: a module for each promise."""
