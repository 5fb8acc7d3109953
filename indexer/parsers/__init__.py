"""What do these bytes say? Bytes or text in, facts out. Pure: nothing is executed, nothing written."""
