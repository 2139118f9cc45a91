#!/usr/bin/env python3
"""hopper beside `autossh` with `ssh -J` while hosts fail; see tests/bench/run.

A client connects through the forward every 100 ms. Every round has hosts of its own: three in a line.
"""
import argparse
import json
import multiprocessing
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import threading
import time

from bed import Bed, must, wait_for

ME = pathlib.Path(__file__)
LAST, FAR, NEAR, BACK = 3, 7000, 7001, 7101
EVERY, ANSWER = 0.1, 2.0
# After the last thing that was done to the hosts, so long is looked.
LOOK = 45.0
# hopper's defaults: a keepalive every 5 s, three of which may go unanswered; 10 s to connect.
ALIVE = "  ServerAliveInterval 5\n  ServerAliveCountMax 3\n"


def echo(address, port):
    def serve(sock):
        while data := sock.recv(4096):
            sock.sendall(data)

    listener = socket.create_server((address, port), backlog=512)
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


def probe(port):
    def visit():
        begun = time.monotonic()
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=ANSWER) as sock:
                sock.sendall(b"x")
                good = sock.recv(1) == b"x"
        except OSError:
            good = False
        # In one piece: other visits end at the same time.
        os.write(1, f"{begun} {int(good)}\n".encode())

    while True:
        threading.Thread(target=visit, daemon=True).start()
        time.sleep(EVERY)


class Autossh:
    """`autossh` over one `ssh -J`, told by keepalives of ssh or by its own monitor whether it is alive."""

    def __init__(self, bed, back, monitor):
        self.bed, self.log = bed, bed.folder / "autossh.log"
        home = bed.folder / "home" / ".ssh"
        config = bed.folder / "ssh_config"
        config.write_text(
            f"Host *\n  User root\n  IdentityFile {home}/id_ed25519\n  UserKnownHostsFile {home}/known_hosts\n"
            f"  StrictHostKeyChecking yes\n  ExitOnForwardFailure yes\n  ConnectTimeout 10\n  BatchMode yes\n"
            f"  LogLevel ERROR\n{'' if monitor else ALIVE}"
        )
        way = ["-R", f"127.0.0.1:{BACK}:127.0.0.1:{FAR}"] if back else ["-L", f"127.0.0.1:{NEAR}:127.0.0.1:{FAR}"]
        jumps = ",".join(bed.name(host) for host in range(1, LAST))
        self.words = ["autossh", "-M", "20000" if monitor else "0", "-F", config, "-N", *way, "-J", jumps, bed.name(LAST)]
        self.env = {"AUTOSSH_LOGFILE": str(self.log), "AUTOSSH_LOGLEVEL": "7", "AUTOSSH_GATETIME": "0",
                    "PATH": os.environ["PATH"]}
        if monitor:
            self.env |= {"AUTOSSH_POLL": "5", "AUTOSSH_FIRST_POLL": "5"}

    def start(self):
        self.child = self.bed.start(0, *self.words, env=self.env)

    def lines(self):
        return self.log.read_text().splitlines() if self.log.exists() else []

    def look(self, lines):
        """Whether it takes itself for up, and how often it found that it is not."""
        pids = [line.rsplit(" ", 1)[1] for line in lines if "ssh child pid is" in line]
        found = sum("ssh exited" in line or "port down" in line or "timeout polling" in line for line in lines)
        return bool(pids) and runs(pids[-1]), found


class Hopper:
    """`hopper up` in the foreground, everything by default."""

    def __init__(self, bed, back, binary):
        self.bed, self.binary, self.log = bed, binary, bed.folder / "hopper.log"
        ids = [f"h{host}" for host in range(1, LAST + 1)]
        hosts = {f"h{host}": {"address": bed.name(host), "user": "root"} for host in range(1, LAST + 1)}
        there = {"listen": f"h{LAST}/{BACK}", "to": f"local:{FAR}"}
        forward = there if back else {"listen": NEAR, "to": f"h{LAST}/127.0.0.1:{FAR}"}
        text = {"hopper": 1, "name": "bench", "hosts": hosts, "links": ["local -> " + " -> ".join(ids)],
                "forwards": {"flow": forward}}
        self.file = bed.folder / "bench.json"
        self.file.write_text(json.dumps(text))

    def start(self):
        home = self.bed.folder
        env = {"PATH": os.environ["PATH"], "HOME": f"{home}/home", "USER": "root", "XDG_RUNTIME_DIR": f"{home}/run",
               "XDG_STATE_HOME": f"{home}/state"}
        self.child = self.bed.start(0, self.binary, "up", self.file, "--progress", "json", log="hopper.log", env=env)

    def lines(self):
        text = self.log.read_text() if self.log.exists() else ""
        return [json.loads(line)["event"] for line in text.splitlines() if line.startswith("{") and line.endswith("}")]

    def look(self, events):
        up = False
        for event in events:
            up = event in ("up", "restored") or up and event not in ("tunnel-lost", "forward-held", "retry", "failed")
        return up, sum(event in ("tunnel-lost", "failed") for event in events)


def runs(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def sessions(bed, host):
    """The processes that serve sessions on a host."""
    found = []
    for pid in must("ip", "netns", "pids", bed.space(host)).split():
        try:
            line = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if line.startswith(b"sshd") and b"[listener]" not in line:
            found.append(int(pid))
    return found


def signal(name, pids):
    for pid in pids:
        subprocess.run(["kill", "-s", name, str(pid)], capture_output=True)


def kill(bed, host):
    signal("KILL", sessions(bed, host))


def freeze(bed, host):
    signal("STOP", sessions(bed, host))


def drop(bed, host):
    rules = ("table inet hole { chain in { type filter hook input priority 0; iifname back drop\n}\n"
             "chain out { type filter hook output priority 0; oifname back drop\n}\n}")
    subprocess.run(bed.on(host, "nft", "-f", "-"), input=rules, text=True, check=True)


def heal(bed, host):
    must(*bed.on(host, "nft", "delete", "table", "inet", "hole"))


def server(bed, host):
    """The sshd that listens on a host."""
    line = must(*bed.on(host, "ss", "-Hltnp", "sport = :22"))
    return int(line.split("pid=", 1)[1].split(",", 1)[0])


def stop(bed, host):
    signal("KILL", [server(bed, host)])
    kill(bed, host)


def back(bed, host):
    config = bed.folder / f"sshd{host}.conf"
    bed.start(host, "/usr/sbin/sshd", "-D", "-e", "-f", config, log=f"sshd{host}.log")


def lock(bed, host):
    config = bed.folder / f"sshd{host}.conf"
    config.write_text(config.read_text().replace("id_ed25519.pub", "nobody.pub"))
    stop(bed, host)
    back(bed, host)


def unlock(bed, host):
    config = bed.folder / f"sshd{host}.conf"
    config.write_text(config.read_text().replace("nobody.pub", "id_ed25519.pub"))
    signal("HUP", [server(bed, host)])


# What is done at once, and what is undone after so many seconds.
FAULTS = {f"sshd's session killed, hop {hop}": [(0, lambda bed, hop=hop: kill(bed, hop))] for hop in range(1, LAST + 1)}
FAULTS |= {
    f"all dropped silently for 30 s, hop {hop}":
        [(0, lambda bed, hop=hop: drop(bed, hop)), (30, lambda bed, hop=hop: heal(bed, hop))]
    for hop in range(1, LAST + 1)
}
FAULTS |= {
    f"sshd's session stands still, hop {hop}": [(0, lambda bed, hop=hop: freeze(bed, hop))] for hop in range(1, LAST + 1)
}
FAULTS |= {
    "server away for 10 s, hop 2": [(0, lambda bed: stop(bed, 2)), (10, lambda bed: back(bed, 2))],
    "login refused for 20 s, hop 2": [(0, lambda bed: lock(bed, 2)), (20, lambda bed: unlock(bed, 2))],
    "port on hop 3 held by a dead session for 40 s":
        [(0, lambda bed: freeze(bed, 3)), (40, lambda bed: signal("KILL", stopped(bed, 3)))],
    "first connection refused for 10 s, hop 2": [(10, lambda bed: back(bed, 2))],
}
HELD = "port on hop 3 held by a dead session for 40 s"
FIRST = "first connection refused for 10 s, hop 2"


def stopped(bed, host):
    def stands(pid):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"

    return [pid for pid in sessions(bed, host) if stands(pid)]


CONTENDERS = {
    "autossh -M 0": lambda bed, back, binary: Autossh(bed, back, False),
    "autossh -M 20000": lambda bed, back, binary: Autossh(bed, back, True),
    "hopper": Hopper,
}


def measure(job):
    """One fault and one contender on hosts of their own: seconds to detect, to recover, and of false `up`."""
    fault, label, binary, number = job
    with Bed(LAST) as bed:
        is_back = fault == HELD
        subject = CONTENDERS[label](bed, is_back, binary)
        far = 0 if is_back else LAST
        bed.start(far, sys.executable, ME, "--echo", FAR)
        wait_for("the echo", lambda: bed.listens(far, FAR))
        if fault == FIRST:
            signal("KILL", [server(bed, 2)])
        subject.start()
        if fault != FIRST:
            wait_for(f"{label} up", lambda: subject.look(subject.lines())[0], 30)
        port = BACK if is_back else NEAR
        probing = bed.start(LAST if is_back else 0, sys.executable, ME, "--probe", port, log="probe.log")
        steps = list(FAULTS[fault])
        if fault != FIRST:
            time.sleep(12)
        begun = time.monotonic()
        known, found, claims = subject.look(subject.lines())[1], None, []
        while steps or time.monotonic() < last + LOOK:
            now = time.monotonic()
            if steps and now >= begun + steps[0][0]:
                steps.pop(0)[1](bed)
                last = time.monotonic()
            up, count = subject.look(subject.lines())
            claims.append((now, up))
            if found is None and count > known:
                found = time.monotonic() - begun
            time.sleep(0.02)
        over = subject.child.poll()
        probing.kill()
        probes = [line.split() for line in (bed.folder / "probe.log").read_text().splitlines()]
        probes = sorted((float(at), good == "1") for at, good in probes)
        bad = [at for at, good in probes if not good and at >= begun]
        recovered = None
        if any(good for at, good in probes[-20:-1]) and over is None:
            good = [at for at, good in probes if good and at > (max(bad) if bad else begun)]
            recovered = max(0.0, good[0] - last) if good else None
        false = sum(EVERY for at in bad if [up for when, up in claims if when <= at][-1:] == [True])
        visits = (bed.folder / "sshd2.log").read_text().count(" authenticating user ")
        result = {"found": found, "recovered": recovered, "false": false, "exit": over, "refused": visits}
    print(f"{fault}, {label}, round {number}: {result}", file=sys.stderr, flush=True)
    return fault, label, result


def shown(results, name):
    values = [result[name] for result in results]
    if None in values:
        ends = {result["exit"] for result in results}
        if name == "recovered" and None not in ends:
            return f"ended ({', '.join(map(str, sorted(ends)))})"
        return "never"
    return f"{statistics.median(values):.1f} ({min(values):.1f}-{max(values):.1f})"


def main():
    if sys.argv[1] in ("--echo", "--probe"):
        return echo("127.0.0.1", int(sys.argv[2])) if sys.argv[1] == "--echo" else probe(int(sys.argv[2]))
    options = argparse.ArgumentParser()
    options.add_argument("binary")
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--at-a-time", type=int, default=6)
    options.add_argument("--only", default="", help="faults whose name has this in it")
    asked = options.parse_args()
    binary = pathlib.Path(asked.binary).resolve()
    faults = [fault for fault in FAULTS if asked.only in fault]
    jobs = [(fault, label, binary, number + 1)
            for number in range(asked.repeats) for fault in faults for label in CONTENDERS]
    with multiprocessing.Pool(asked.at_a_time, maxtasksperchild=1) as pool:
        results = pool.map(measure, jobs, chunksize=1)
    version = subprocess.run(["ssh", "-V"], capture_output=True, text=True).stderr.strip()
    autossh = must("autossh", "-V").strip()
    print(f"{version}; {autossh}; {LAST} hosts in a line; median of {asked.repeats} rounds (lowest-highest), seconds\n")
    print("| fault | client | noticed after | works again after | false `up` | logins refused |\n|---|---|---|---|---|---|")
    for fault in faults:
        for label in CONTENDERS:
            mine = [result for at, who, result in results if (at, who) == (fault, label)]
            refused = int(statistics.median(result["refused"] for result in mine))
            cells = [shown(mine, name) for name in ("found", "recovered", "false")]
            print(f"| {fault} | {label} | " + " | ".join(cells) + f" | {refused} |")


if __name__ == "__main__":
    main()
