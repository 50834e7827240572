"""Attacks on what the product promises; ``make campaign`` counts what each of them lost."""
