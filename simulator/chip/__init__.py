"""The parts of the emulated MFRC522, as its data sheet (NXP, product data sheet, rev. 3.9) divides it."""
