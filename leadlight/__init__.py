"""The vocabulary of Leadlight: what every other package may import, and what imports none of them."""
