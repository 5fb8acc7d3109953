"""Weights of search, as tables."""
