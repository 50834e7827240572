"""Audits: what is wrong with the data, how sure that is, how many, and when to stop looking."""
