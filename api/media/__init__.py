"""Frames, chunks and previews on their way out."""
