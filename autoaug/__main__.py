"""``python -m autoaug``, with the same import path as the command ``autoaug``."""

import os
import sys

# Python puts the working directory, which may hold any file, first on the path. It is kept only if autoaug itself is
# imported from there.
if sys.path[0] == os.getcwd() != os.path.dirname(os.path.dirname(__file__)):
    del sys.path[0]

from autoaug.cli.main import main

main()
