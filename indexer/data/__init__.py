"""Knowledge as tables: one row a fact, each with its why."""
