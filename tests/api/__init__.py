"""Tests of the HTTP server, over a real socket."""
