"""``python -m autoaug``."""

from autoaug.cli import main

main()
