"""How do agents reach Pinakes? Tools of the Model Context Protocol, on standard streams or over HTTP.

Read only. Answers are those of the command's ``--json``; texts in them were written by strangers.
"""
