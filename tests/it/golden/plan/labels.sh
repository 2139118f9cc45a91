# labels by hand, with OpenSSH
# Each ssh goes to the background once it is logged in and listens (-f).
# Ending the outermost also ends what rides it.
# Port 20001 can be changed, everywhere alike.

# T1: a-host-with-a-name-that-nobody-would-type
ssh -F none -f -N -o ExitOnForwardFailure=yes -o StrictHostKeyChecking=yes \
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:20001:b:22 alice@gate.example.net &&

# T2: b, through T1
# a-forward-with-a-name-that-nobody-would-type: 127.0.0.1:5950 -> screen:5900
ssh -F none -f -N -o ExitOnForwardFailure=yes -p 20001 -o HostKeyAlias=b \
    -o StrictHostKeyChecking=yes -o ServerAliveInterval=5 \
    -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:5950:screen.example.net:5900 bob@127.0.0.1
