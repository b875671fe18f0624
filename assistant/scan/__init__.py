"""Scans: many files through the product's path into one table, resumable after a kill."""
