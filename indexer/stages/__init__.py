"""The stages of indexing, in order: scan, hashing, pictures, publish. ``pipeline`` runs them."""
