# vnc-through-three-firewalls by hand, with OpenSSH
# Each ssh goes to the background once it is logged in and listens (-f).
# Ending the outermost also ends what rides it.
# Ports 20001 to 20002 can be changed, everywhere alike.

# T1: gate-b
ssh -F none -f -N -o ExitOnForwardFailure=yes -o StrictHostKeyChecking=yes \
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:20001:gate-c.dmz.example.net:22 alice@gate-b.example.net &&

# T2: gate-c, through T1
ssh -F none -f -N -o ExitOnForwardFailure=yes -p 20001 \
    -o HostKeyAlias=gate-c.dmz.example.net -o StrictHostKeyChecking=yes \
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:20002:gate-d.lab.example.net:22 alice@127.0.0.1 &&

# T3: gate-d, through T2
# vnc: 127.0.0.1:5901 -> screen:5900
ssh -F none -f -N -o ExitOnForwardFailure=yes -p 20002 \
    -o HostKeyAlias=gate-d.lab.example.net -o StrictHostKeyChecking=yes \
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:5901:10.9.8.7:5900 alice@127.0.0.1
