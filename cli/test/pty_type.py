"""Types at a program that runs on a pseudo-terminal, and checks what it shows.

    pty_type.py STEPS PROGRAM ARGUMENTS...

STEPS is a JSON list of [what to wait for, what to type next]; what is waited for is a regular
expression over what was shown since the step before, without escape sequences. The last step types
nothing. Prints all that was shown and ends with the program's exit code, or with 99 and what was
waited for when that does not come within a minute.
"""
import json
import os
import pty
import re
import select
import sys
import time

ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\x1b\][^\x07]*\x07|\r|\x07")
SECONDS = 60


def main():
    steps, arguments = json.loads(sys.argv[1]), sys.argv[2:]
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(TERM="xterm", PAGER=os.environ.get("PAGER", ""))
        os.execv(arguments[0], arguments)
    shown, unread = b"", b""
    for expected, typed in steps:
        deadline = time.monotonic() + SECONDS
        while not re.search(expected.encode(), ESCAPES.sub(b"", unread), re.S):
            ready, _, _ = select.select([terminal], [], [], max(0, deadline - time.monotonic()))
            try:
                part = os.read(terminal, 65536) if ready else b""
            except OSError:  # the program has ended
                part = b""
            if not part:
                sys.stdout.buffer.write(ESCAPES.sub(b"", shown + unread))
                print(f"\n-- {expected!r} did not come")
                os.kill(child, 9)
                os.waitpid(child, 0)
                sys.exit(99)
            unread += part
        shown, unread = shown + unread, b""
        if typed is not None:
            os.write(terminal, typed.encode())
    try:
        while part := os.read(terminal, 65536):
            shown += part
    except OSError:
        pass
    sys.stdout.buffer.write(ESCAPES.sub(b"", shown))
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


main()
