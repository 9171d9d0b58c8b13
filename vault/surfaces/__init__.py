"""The ways in: thin layers that turn requests into calls of the nouns and answers into words."""
