"""How well scores find the samples that were made hard."""
