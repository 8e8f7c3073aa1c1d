"""What is allowed, when and why. Pure: no input or output, no clock, no randomness, no logging."""
