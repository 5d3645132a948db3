"""What the stages need from the outside, as types: providers in, values out."""
