"""What every request passes, whatever it is about: who asks, what they may, how it is answered."""
