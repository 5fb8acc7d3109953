"""Tests of the tools for agents, through the official client."""
