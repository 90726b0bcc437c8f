"""One boundary in motion: molecular dynamics in segments, its snapshots, checks, and learning their energies."""
