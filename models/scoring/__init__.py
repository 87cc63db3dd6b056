"""A month's scores from a trained model, with reasons and stage."""
