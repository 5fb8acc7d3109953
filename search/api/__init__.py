"""How do programs reach Pinakes? The HTTP server: guard, native routes, errors, wiring."""
