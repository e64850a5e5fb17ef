"""The pure rules of an annotation document: what is accepted, how it is shared out among jobs and put together again."""
