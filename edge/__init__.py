"""One Raspberry Pi at a door or a machine."""
