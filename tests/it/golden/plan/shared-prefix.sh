# shared-prefix by hand, with OpenSSH
# Each ssh goes to the background once it is logged in and listens (-f).
# Ending the outermost also ends what rides it.
# Ports 20001 to 20003 can be changed, everywhere alike.

# T1: gate
ssh -F none -f -N -o ExitOnForwardFailure=yes -o StrictHostKeyChecking=yes \
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:20001:middle:22 alice@gate.example.net &&

# T2: middle, through T1
ssh -F none -f -N -o ExitOnForwardFailure=yes -p 20001 \
    -o HostKeyAlias=middle -o StrictHostKeyChecking=yes \
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:20002:left:22 -L 127.0.0.1:20003:right:22 alice@127.0.0.1 &&

# T3: left, through T2
# page: 127.0.0.1:8080 -> page:80
ssh -F none -f -N -o ExitOnForwardFailure=yes -p 20002 -o HostKeyAlias=left \
    -o StrictHostKeyChecking=yes -o ServerAliveInterval=5 \
    -o ServerAliveCountMax=3 -o ConnectTimeout=20 -L 127.0.0.1:8080:page:80 \
    alice@127.0.0.1 &&

# T4: right, through T2
# store: 127.0.0.1:6379 -> store:6379
ssh -F none -f -N -o ExitOnForwardFailure=yes -p 20003 -o HostKeyAlias=right \
    -o StrictHostKeyChecking=yes -o ServerAliveInterval=5 \
    -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:6379:store:6379 alice@127.0.0.1
