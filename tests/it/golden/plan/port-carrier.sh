# port-carrier by hand, with OpenSSH
# Each ssh goes to the background once it is logged in and listens (-f).
# Ending the outermost also ends what rides it.
# Port 20001 can be changed, everywhere alike.

# T1: gate
ssh -F none -f -N -o ExitOnForwardFailure=yes -o StrictHostKeyChecking=yes \
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:2201:inner:22 alice@gate.example.net &&

# T2: inner, through T1
ssh -F none -f -N -o ExitOnForwardFailure=yes -p 2201 -o HostKeyAlias=inner \
    -o StrictHostKeyChecking=yes -o ServerAliveInterval=5 \
    -o ServerAliveCountMax=3 -o ConnectTimeout=20 -L 127.0.0.1:20001:deep:22 \
    alice@127.0.0.1 &&

# T3: deep, through T2
# app: 127.0.0.1:18000 -> app:7000
ssh -F none -f -N -o ExitOnForwardFailure=yes -p 20001 -o HostKeyAlias=deep \
    -o StrictHostKeyChecking=yes -o ServerAliveInterval=5 \
    -o ServerAliveCountMax=3 -o ConnectTimeout=20 -L 127.0.0.1:18000:app:7000 \
    alice@127.0.0.1
