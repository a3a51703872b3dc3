"""What every test needs, whatever started the tests."""

import signal

# A shell that starts something in the background lets it ignore interrupts, and so would
# every process that the tests start: some of them are interrupted on purpose.
signal.signal(signal.SIGINT, signal.default_int_handler)
