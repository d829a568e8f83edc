"""The flows, to be read from top to bottom like the list of steps they are."""
