# two-gates by hand, with OpenSSH
# Each ssh goes to the background once it is logged in and listens (-f).
# Ending the outermost also ends what rides it.
# Port 20001 can be changed, everywhere alike.
# The first way of each forward only: ssh does not fail over.

# T1: edge
ssh -F none -f -N -o ExitOnForwardFailure=yes -o StrictHostKeyChecking=yes \
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:20001:gate-1.dmz.example.net:22 alice@edge.example.net &&

# T2: gate-1, through T1
# web: 127.0.0.1:8080 -> web:80
ssh -F none -f -N -o ExitOnForwardFailure=yes -p 20001 \
    -o HostKeyAlias=gate-1.dmz.example.net -o StrictHostKeyChecking=yes \
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:8080:web.lab.example.net:80 alice@127.0.0.1
