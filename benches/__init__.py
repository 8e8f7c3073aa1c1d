"""The parts of `loquet bench`, one file for each thing measured."""
