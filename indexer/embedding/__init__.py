"""What does it look like? Vectors of previews. The only place that imports torch."""
