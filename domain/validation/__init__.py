"""Which frames annotators are checked with: ground truth, and honeypots among their own frames."""
