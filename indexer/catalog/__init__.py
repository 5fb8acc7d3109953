"""What do we know? The truth, in SQL. The only place that imports sqlalchemy."""
