"""Dataset formats: annotations, and as a rule their images, on their way out and in."""
