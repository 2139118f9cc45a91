# far-listeners by hand, with OpenSSH
# Each ssh goes to the background once it is logged in and listens (-f).
# Ending the outermost also ends what rides it.
# Ports 20001 to 20002 can be changed, everywhere alike.

# T1: gate
ssh -F none -f -N -o ExitOnForwardFailure=yes -o StrictHostKeyChecking=yes \
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:20001:inner.lan:22 alice@gate.example.net &&

# T2: side
# across: 127.0.0.1:8080 -> web:80
# shared: 0.0.0.0:8081 -> web:80
ssh -F none -f -N -o ExitOnForwardFailure=yes -o StrictHostKeyChecking=yes \
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:8080:10.1.1.80:80 -L 0.0.0.0:8081:10.1.1.80:80 \
    bob@side.example.net &&

# T3: inner, through T1
ssh -F none -f -N -o ExitOnForwardFailure=yes -p 20001 \
    -o HostKeyAlias=inner.lan -o StrictHostKeyChecking=yes \
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    alice@127.0.0.1
# back: no tunnel, so nothing for ssh to do; 127.0.0.1:7000 is dialled from here
# chosen: no tunnel, so nothing for ssh to do; 127.0.0.1:7001 is dialled from here
