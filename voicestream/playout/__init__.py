"""From the samples of all segments to exactly N frames, whenever asked."""
