"""What every test needs, whatever started the tests."""

import os
import signal

# A shell that starts something in the background lets it ignore interrupts, and so would
# every process that the tests start: some of them are interrupted on purpose.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Making it takes a core for half a minute; the tests of the archive ask for it.
os.environ["BLUEBEAR_CLASS_ARCHIVE"] = "false"
