"""The only place that imports gpiozero, mfrc522 and spidev."""
