"""``python -m bluebear_magic``: the command, where its script is not on the path."""

from bluebear_magic.cli import main

raise SystemExit(main())
