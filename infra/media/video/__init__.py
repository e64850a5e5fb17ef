"""Videos: checking what was uploaded, and its frames, one by one and as chunks.

Modules: `opening` (what is accepted at all), `whole` (files that were cut off), `index` (where each frame is), `probe`
(looking through a whole file), `apart` (the same in a process of its own), `reading` (exactly the frames that are
wanted), `encoding` (a chunk as a video of its own).
"""
