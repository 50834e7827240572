"""What is measured about a model during and after training."""
