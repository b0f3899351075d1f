#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Run commands on a terminal and keep what it showed.

Usage: record.py FILE <COMMANDS

Runs each line of standard input with bash, on a terminal of its own, shows what
it prints, and writes all to FILE as an asciicast of version 2. Other lines:

  guest# TEXT   typed into the console that the command before has opened; after
                the last of them it is left
  +COMMAND      run without being shown: what a person does elsewhere; what it
                prints goes to standard error

Ends with the status of the first command that fails.
"""
import json
import os
import pty
import re
import select
import sys
import time

WIDTH = 124
HEIGHT = 30
PROMPT = "dom0# "
GUEST = "guest# "
LEAVE = b"\x1d"
PAUSE = 1           # seconds that somebody needs to read
PATIENCE = 180 * int(os.environ.get("PATIENCE", "1"))    # seconds without a word


def plain(text):
    """Without what speaks to the terminal."""
    return re.sub("\x1b\\[[0-9;?]*[A-Za-z]", "", text)


class Terminal:
    """One command on a terminal; what it prints goes to show()."""

    def __init__(self, command, show):
        self.show = show
        self.text = ""
        self.rest = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="dumb", COLUMNS=str(WIDTH), LINES=str(HEIGHT))
            os.execvp("bash", ["bash", "-c", command])

    def read(self):
        """Show what comes next; False at the end."""
        if not select.select([self.fd], [], [], PATIENCE)[0]:
            sys.exit(f"record.py: nothing for {PATIENCE} s after: {self.text[-200:]}")
        try:
            data = os.read(self.fd, 4096)
        except OSError:     # the command has ended
            data = b""
        self.rest += data
        # A character may not be complete yet.
        text = self.rest.decode("utf-8", "ignore")
        self.rest = self.rest[len(text.encode()):]
        self.text += text
        self.show(text)
        return bool(data)

    def type(self, line):
        """Type a line when the guest asks for one."""
        while not plain(self.text).endswith(GUEST):
            if not self.read():
                return
        time.sleep(PAUSE)
        self.text = ""
        os.write(self.fd, line)

    def end(self):
        """Wait until the command ends; its status."""
        while self.read():
            pass
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def commands(lines):
    """Each command with what is typed into it."""
    found = []
    for line in lines:
        if line.startswith(GUEST):
            found[-1][1].append(line[len(GUEST):])
        else:
            found.append((line, []))
    return found


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    start = time.monotonic()
    with open(sys.argv[1], "w", buffering=1, encoding="utf-8") as cast:

        def show(text):
            now = round(time.monotonic() - start, 2)
            if text:
                cast.write(json.dumps([now, "o", text]) + "\n")
                print(text, end="", flush=True)

        def prompt():
            show(PROMPT)
            time.sleep(PAUSE)

        cast.write(json.dumps({"version": 2, "width": WIDTH, "height": HEIGHT,
                               "idle_time_limit": 2}) + "\n")
        for line, typed in commands(sys.stdin.read().splitlines()):
            hidden = line.startswith("+")
            if hidden:
                terminal = Terminal(line[1:], sys.stderr.write)
            else:
                prompt()
                show(line + "\r\n")
                terminal = Terminal(line, show)
            for text in typed:
                terminal.type(text.encode() + b"\r")
            if typed:
                terminal.type(LEAVE)
                show("\r\n")
            status = terminal.end()
            if status:
                sys.exit(status)
        prompt()


main()
