"""Files on their way in: forms, and uploads that come piece by piece."""
