"""Chores that make tables of indexer/data from labelled cases."""
