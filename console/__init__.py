"""What every command shares: errors that its caller can mend, what a terminal can show, which version this is."""
