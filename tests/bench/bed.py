"""Hosts in a line for the benchmark: namespaces, one veth pair between neighbours, an sshd on each.

The tests have a stricter bed with firewalls (tests/sshd/bed.rs); here only the cost of carrying counts.
"""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

SSHD = "/usr/sbin/sshd"
PATIENCE = 20.0


def must(*words, **more):
    return subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True, **more).stdout


def wait_for(what, condition, limit=PATIENCE):
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} within {limit:.0f} s")
        time.sleep(0.005)


class Bed:
    """Hosts 1 to `last` behind host 0. Use it in a `with`; it takes everything away at the end."""

    def __init__(self, last):
        self.last = last
        self.tag = f"hb{os.getpid()}"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hb"))
        self.children = []

    def __enter__(self):
        try:
            self.build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for child in self.children:
            child.kill()
            child.wait()
        for host in range(self.last + 1):
            space = self.space(host)
            listed = subprocess.run(["ip", "netns", "pids", space], capture_output=True, text=True)
            for pid in listed.stdout.split():
                os.kill(int(pid), signal.SIGKILL)
            subprocess.run(["ip", "netns", "del", space], capture_output=True)
            shutil.rmtree(f"/etc/netns/{space}", ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def space(self, host):
        return f"{self.tag}-{host}"

    def name(self, host):
        return f"hop{host}.test"

    def on(self, host, *words):
        return ["ip", "netns", "exec", self.space(host), *map(str, words)]

    def start(self, host, *words, log="noise.log", **more):
        out = open(self.folder / log, "ab")
        child = subprocess.Popen(self.on(host, *words), stdin=subprocess.DEVNULL, stdout=out, stderr=out, **more)
        self.children.append(child)
        return child

    def listens(self, host, port):
        return bool(must(*self.on(host, "ss", "-Hltn", f"sport = :{port}")).strip())

    def build(self):
        home = self.folder / "home" / ".ssh"
        home.mkdir(parents=True)
        for folder in ("run", "state"):
            (self.folder / folder).mkdir(mode=0o700)
        must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", home / "id_ed25519")
        for host in range(self.last + 1):
            must("ip", "netns", "add", self.space(host))
        known = ""
        for host in range(self.last + 1):
            space = self.space(host)
            must("ip", "-n", space, "link", "set", "lo", "up")
            files = pathlib.Path("/etc/netns") / space
            files.mkdir(parents=True)
            neighbour = f"10.78.{host + 1}.2 {self.name(host + 1)}\n" if host < self.last else ""
            (files / "hosts").write_text(f"127.0.0.1 localhost\n{neighbour}")
            settings = "echo 0 > /proc/sys/net/ipv4/ip_forward; echo reno > /proc/sys/net/ipv4/tcp_congestion_control"
            subprocess.run(self.on(host, "sh", "-c", settings), capture_output=True)
        for host in range(1, self.last + 1):
            before, here = self.space(host - 1), self.space(host)
            must("ip", "link", "add", "fore", "netns", before, "type", "veth", "peer", "name", "back", "netns", here)
            for space, end, address in ((before, "fore", 1), (here, "back", 2)):
                must("ip", "-n", space, "addr", "add", f"10.78.{host}.{address}/30", "dev", end)
                must("ip", "-n", space, "link", "set", end, "up")
            known += self.start_sshd(host, home)
        (home / "known_hosts").write_text(known)

    def start_sshd(self, host, home):
        os.makedirs("/run/sshd", exist_ok=True)
        key, config = self.folder / f"key{host}", self.folder / f"sshd{host}.conf"
        must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
        config.write_text(
            f"Port 22\nHostKey {key}\nPidFile none\nAuthorizedKeysFile {home}/id_ed25519.pub\nStrictModes no\n"
            "UsePAM no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\nMaxStartups 500\n"
        )
        self.start(host, SSHD, "-D", "-e", "-f", config, log=f"sshd{host}.log")
        wait_for(f"sshd {host}", lambda: self.listens(host, 22))
        kind, data = pathlib.Path(f"{key}.pub").read_text().split()[:2]
        return f"{self.name(host)} {kind} {data}\n"

    def congestion(self):
        return must(*self.on(0, "cat", "/proc/sys/net/ipv4/tcp_congestion_control")).strip()

    def local_processes(self, program):
        """The processes of this program on host 0."""
        found = []
        for pid in must("ip", "netns", "pids", self.space(0)).split():
            try:
                if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == program:
                    found.append(int(pid))
            except OSError:
                pass
        return found


def cost(pids):
    """CPU seconds so far and resident MB now of these processes together."""
    seconds = resident = 0.0
    for pid in pids:
        try:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        seconds += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        resident += int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    return seconds, resident
