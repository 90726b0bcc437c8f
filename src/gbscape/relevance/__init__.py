"""The inverse scattering transform: what every point of space has to do with the predicted energy of a boundary."""
