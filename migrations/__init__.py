"""Alembic migrations of the catalog. ("Migration" means only this; moving a library is a *plan*.)"""
