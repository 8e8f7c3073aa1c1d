"""What edges say: verified, stored once and in order."""
