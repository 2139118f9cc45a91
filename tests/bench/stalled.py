#!/usr/bin/env python3
"""A download alone, and beside readers that read nothing: on the same forward, on another one, and through a tunnel
inside the one that the readers are on; once the readers are still, and at once.

    tests/bench/stalled.py BINARY [--repeats N] [--hops 2,4]

Needs root and what tests/bench/run needs, and a release binary. Prints a markdown table: seconds, and how many times
as long as alone. Figures to read, not to pass.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time

from bed import Bed, cost, wait_for
from bench import FAR, FLOW, NEAR, Hopper, flow

OTHER, WAY = NEAR + 1, NEAR + 2
BYTES, READERS = 20_000_000, 3
# Until the readers hold what they may, and a lane is open.
SETTLING = 3.0


class Several(Hopper):
    """hopper with two forwards to the last host, and one to the first."""

    def __init__(self, bed, binary):
        super().__init__(bed, binary)
        text = json.loads(self.file.read_text())
        text["forwards"]["other"] = {"listen": OTHER, "to": f"h{bed.last}/127.0.0.1:{FAR}"}
        text["forwards"]["way"] = {"listen": WAY, "to": f"h1/127.0.0.1:{FAR}"}
        self.file.write_text(json.dumps(text))


def take(bed, port):
    return float(flow(bed, "take", port, BYTES)[0])


def beside(bed, stalled, port, settled, count=READERS):
    """The download at `port` that begins when readers at `stalled` have just stopped reading, or some time after."""
    words = bed.on(0, sys.executable, FLOW, "stall", stalled, count)
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as readers:
        try:
            readers.stdout.readline()
            time.sleep(SETTLING if settled else 0)
            return take(bed, port), cost(bed.local_processes("hopper"))[1]
        finally:
            readers.kill()


CASES = [("alone", None, NEAR, True), ("same forward", NEAR, NEAR, True), ("another forward", NEAR, OTHER, True),
         ("inner tunnel", WAY, NEAR, True), ("same forward, at once", NEAR, NEAR, False)]


def round_of(bed, binary):
    client = Several(bed, binary)
    client.start()
    try:
        for port in (NEAR, OTHER, WAY):
            wait_for(f"port {port}", lambda port=port: bed.listens(0, port))
            take(bed, port)
        figures = {}
        for name, stalled, port, settled in CASES:
            figures[name] = beside(bed, stalled, port, settled) if stalled else (take(bed, port), 0.0)
        return figures
    finally:
        client.stop()


def main():
    options = argparse.ArgumentParser()
    options.add_argument("binary")
    options.add_argument("--repeats", type=int, default=5)
    options.add_argument("--hops", default="2,4")
    asked = options.parse_args()
    binary = pathlib.Path(asked.binary).resolve()
    print("| hops | " + " | ".join(name for name, *_ in CASES) + " | RSS MB |")
    print("|---" * (len(CASES) + 2) + "|")
    for hops in map(int, asked.hops.split(",")):
        with Bed(hops) as bed:
            for host in (1, hops):
                bed.start(host, sys.executable, FLOW, "sink", FAR)
                wait_for("the sink", lambda host=host: bed.listens(host, FAR))
            rounds = [round_of(bed, binary) for _ in range(asked.repeats)]
        alone = statistics.median(figures["alone"][0] for figures in rounds)
        cells = []
        for name, *_ in CASES:
            times = [figures[name][0] for figures in rounds]
            middle = statistics.median(times)
            cells.append(f"{middle:.2f} s ({min(times):.2f}-{max(times):.2f}), {middle / alone:.1f}")
        most = max(figures[name][1] for figures in rounds for name, *_ in CASES)
        print(f"| {hops} | " + " | ".join(cells) + f" | {most:.0f} |", flush=True)


if __name__ == "__main__":
    main()
