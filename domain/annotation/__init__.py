"""The pure rules of an annotation document: what is accepted, how jobs share it, how it is put together."""
