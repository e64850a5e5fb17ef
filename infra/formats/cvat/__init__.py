"""CVAT's own format: one annotations.xml, by image or by track, in a zip with the images."""
