"""From numbers to pictures: the report of a run or a version, as one page."""
