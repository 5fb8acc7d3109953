"""How is it found fast? Disposable indexes; each can be rebuilt from the catalog."""
