#!/usr/bin/env python3
"""Runs a command on a terminal of its own and types answers:
terminal.py [--also PROMPT ANSWER]... PROMPT ANSWER SECONDS COMMAND...

Each time PROMPT (any case) appears, ANSWER is typed after so many SECONDS; `--also` names more of them. Copies what the command shows to stdout, closes
the terminal once the command has ended, and exits as it did.
"""
import os
import pty
import select
import sys
import termios
import time

PATIENCE = 45.0


def shown_by(terminal):
    """What the terminal shows within a moment; nothing when it is quiet or closed."""
    if not select.select([terminal], [], [], 0.05)[0]:
        return b""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


def wait_until_hidden(terminal):
    """Nobody types faster than a program turns the echo off."""
    limit = time.monotonic() + 2
    while termios.tcgetattr(terminal)[3] & termios.ECHO and time.monotonic() < limit:
        select.select([], [], [], 0.01)


def main():
    words, answers = sys.argv[1:], []
    while words[0] == "--also":
        answers.append((words[1].lower().encode(), words[2].encode() + b"\n"))
        words = words[3:]
    answers.append((words[0].lower().encode(), words[1].encode() + b"\n"))
    hesitation, command = float(words[2]), words[3:]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)
    text, status, limit = b"", None, time.monotonic() + hesitation + PATIENCE
    while True:
        data = shown_by(terminal)
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        text += data
        answer = next((answer for prompt, answer in answers if prompt in text.lower()), None)
        if answer is not None:
            text = b""
            wait_until_hidden(terminal)
            time.sleep(hesitation)
            os.write(terminal, answer)
        if status is not None and not data:
            sys.exit(os.waitstatus_to_exitcode(status))
        if status is None:
            done, code = os.waitpid(pid, os.WNOHANG)
            status = code if done else None
        if time.monotonic() > limit:
            os.kill(pid, 9)
            sys.exit("no end in sight")


if __name__ == "__main__":
    main()
