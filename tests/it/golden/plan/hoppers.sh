# hoppers by hand, with OpenSSH
# Each ssh goes to the background once it is logged in and listens (-f).
# Ending the outermost also ends what rides it.
# Ports 20001 to 20002 can be changed, everywhere alike.

# T1: b, to be typed on a
# near: a.example.net:2301 -> b/127.0.0.1:5432; connect to that yourself
#   ssh -F none -N -g -o ExitOnForwardFailure=yes -o StrictHostKeyChecking=yes \
#       -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
#       -L 2300:c.example.net:22 -L 2301:127.0.0.1:5432 bob@b.example.net

# T2: c, through T1
ssh -F none -f -N -o ExitOnForwardFailure=yes -p 2300 \
    -o ConnectionAttempts=10 -o HostKeyAlias=c.example.net \
    -o StrictHostKeyChecking=yes -o ServerAliveInterval=5 \
    -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:20001:d.example.net:22 a.example.net &&

# T3: d, through T2
# web: 127.0.0.1:8080 -> e:80
ssh -F none -f -N -o ExitOnForwardFailure=yes -p 20001 -o HostKeyAlias=inner \
    -o StrictHostKeyChecking=yes -o ServerAliveInterval=5 \
    -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:8080:10.1.2.3:80 127.0.0.1
