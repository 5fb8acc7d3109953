"""``python -m search`` is the command ``pinakes``."""

from search.cli import main

main()
