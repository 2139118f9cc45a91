# plain-ends by hand, with OpenSSH
# Each ssh goes to the background once it is logged in and listens (-f).
# Ending the outermost also ends what rides it.
# Ports 20001 to 20002 can be changed, everywhere alike.

# T1: a
ssh -F none -f -N -o ExitOnForwardFailure=yes -o StrictHostKeyChecking=yes \
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:20001:b.example.net:22 alice@a.example.net &&

# T2: b, by the ssh of a
ssh -F none -f -tt -o StrictHostKeyChecking=yes -o ServerAliveInterval=5 \
    -o ServerAliveCountMax=3 -o ConnectTimeout=20 alice@a.example.net ssh \
    -F none -N -g -o ExitOnForwardFailure=yes -o BatchMode=yes \
    -o StrictHostKeyChecking=yes -o ServerAliveInterval=5 \
    -o ServerAliveCountMax=3 -o ConnectTimeout=20 -L 2201:c.example.net:22 \
    alice@b.example.net &&

# T4: c, through T2
ssh -F none -f -N -o ExitOnForwardFailure=yes -p 2201 \
    -o ConnectionAttempts=10 -o HostKeyAlias=c.example.net \
    -o StrictHostKeyChecking=yes -o ServerAliveInterval=5 \
    -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:20002:d.example.net:22 alice@a.example.net &&

# T5: c, by the ssh of b
ssh -F none -f -tt -p 20001 -o HostKeyAlias=b.example.net \
    -o StrictHostKeyChecking=yes -o ServerAliveInterval=5 \
    -o ServerAliveCountMax=3 -o ConnectTimeout=20 alice@127.0.0.1 ssh -F none \
    -N -g -o ExitOnForwardFailure=yes -o BatchMode=yes \
    -o StrictHostKeyChecking=yes -o ServerAliveInterval=5 \
    -o ServerAliveCountMax=3 -o ConnectTimeout=20 -L 2201:d.example.net:22 \
    alice@c.example.net &&

# T6: d, through T4
# admin: 127.0.0.1:8081 -> web:8443
ssh -F none -f -N -o ExitOnForwardFailure=yes -p 20002 \
    -o HostKeyAlias=d.example.net -o StrictHostKeyChecking=yes \
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:8081:web.example.net:8443 alice@127.0.0.1 &&

# T7: d, through T5, by the ssh of a
# web: a.example.net:2202 -> web:80; connect to that yourself
ssh -F none -f -tt -o StrictHostKeyChecking=yes -o ServerAliveInterval=5 \
    -o ServerAliveCountMax=3 -o ConnectTimeout=20 alice@a.example.net ssh \
    -F none -N -g -o ExitOnForwardFailure=yes -o BatchMode=yes -p 2201 \
    -o ConnectionAttempts=10 -o HostKeyAlias=d.example.net \
    -o StrictHostKeyChecking=yes -o ServerAliveInterval=5 \
    -o ServerAliveCountMax=3 -o ConnectTimeout=20 -L 2202:web.example.net:80 \
    alice@b.example.net
