"""Fits lines to points."""
