"""``python -m autoaug``, which imports from where the command ``autoaug`` does."""

import os
import sys

# Python puts the working directory first, where any file may lie. It stays where autoaug itself comes from there.
if sys.path[0] == os.getcwd() != os.path.dirname(os.path.dirname(__file__)):
    del sys.path[0]

from autoaug.cli.main import main

main()
