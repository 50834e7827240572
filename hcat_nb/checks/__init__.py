"""What is wrong with data before anything is trained: findings as pure functions."""
