"""`python -m loquet` is the `loquet` command."""

import sys

from loquet.main import main

sys.exit(main())
