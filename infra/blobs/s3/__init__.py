"""Blobs in any S3-compatible object store: content-addressed objects, and a bounded folder of local copies."""
