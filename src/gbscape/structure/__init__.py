"""Geometry of structures: lattices, bicrystals, boundary atoms, neighbours."""

from gbscape.structure.nearest_neighbours import nearest_neighbour_distance, nearest_neighbour_distances

__all__ = ["nearest_neighbour_distance", "nearest_neighbour_distances"]
