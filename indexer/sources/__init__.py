"""Where do models come from? The only place that talks to the outside."""
