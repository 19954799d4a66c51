"""What a report says, section by section, as blocks that the page renders."""
