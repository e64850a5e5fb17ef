"""Pictures: checking what was uploaded, and the frames, previews and chunks that clients ask for.

Modules: `jpeg` and `png` (cheap proofs that a file is whole), `images` (open, check, rotate), `frames`
(one picture for a client), `chunks` (many, as a zip), `cache` (prepared chunks on disk), `pool` (threads).
"""
