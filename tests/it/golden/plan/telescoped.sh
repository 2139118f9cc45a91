# telescoped by hand, with OpenSSH
# Each ssh goes to the background once it is logged in and listens (-f).
# Ending the outermost also ends what rides it.

# T2: gate-c, by the ssh of gate-b
ssh -F none -f -tt -o StrictHostKeyChecking=yes -o ServerAliveInterval=5 \
    -o ServerAliveCountMax=3 -o ConnectTimeout=20 alice@gate-b.example.net \
    ssh -F none -N -g -o ExitOnForwardFailure=yes -o BatchMode=yes \
    -o StrictHostKeyChecking=yes -o ServerAliveInterval=5 \
    -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 2201:gate-d.lab.example.net:22 alice@gate-c.dmz.example.net &&

# T3: gate-d, through T2
# vnc: 127.0.0.1:5901 -> screen:5900
ssh -F none -f -N -o ExitOnForwardFailure=yes -p 2201 \
    -o ConnectionAttempts=10 -o HostKeyAlias=gate-d.lab.example.net \
    -o StrictHostKeyChecking=yes -o ServerAliveInterval=5 \
    -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:5901:screen.lab.example.net:5900 alice@gate-b.example.net
