#!/usr/bin/env python3
"""Very many short connections to a chain: crowd.py ADDRESS PORT AT_A_TIME COUNT

Each sends 1 KiB to the data server, reads its digest and leaves. Prints one line of JSON that counts how they ended:
{"ok": …, "reset": …, "short": …}, and whatever else the system said.
"""
import collections
import hashlib
import json
import socket
import sys
import threading

PIECE = b"x" * 1024
QUIET = 45.0
counting = threading.Lock()


def visit(address, port):
    try:
        with socket.create_connection((address, port), timeout=QUIET) as sock:
            sock.sendall(json.dumps({"do": "put", "bytes": len(PIECE), "seed": 1}).encode() + b"\n" + PIECE)
            answer = b""
            while data := sock.recv(4096):
                answer += data
            return "ok" if answer == hashlib.sha256(PIECE).hexdigest().encode() else "short"
    except (ConnectionResetError, BrokenPipeError):
        return "reset"
    except OSError as problem:
        return str(problem)


def main():
    address, port, at_a_time, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    ends = collections.Counter()
    left = iter(range(count))

    def visitor():
        while True:
            with counting:
                if next(left, None) is None:
                    return
            end = visit(address, port)
            with counting:
                ends[end] += 1

    threads = [threading.Thread(target=visitor) for _ in range(at_a_time)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(ends), flush=True)


if __name__ == "__main__":
    main()
