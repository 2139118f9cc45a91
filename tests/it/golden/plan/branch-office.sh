# branch-office by hand, with OpenSSH
# Each ssh goes to the background once it is logged in and listens (-f).
# Ending the outermost also ends what rides it.
# Port 20001 can be changed, everywhere alike.

# T1: meet
ssh -F none -f -N -o ExitOnForwardFailure=yes -p 443 \
    -o HostKeyAlias=meet.example.net -o StrictHostKeyChecking=yes \
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:20001:127.0.0.1:2201 relay@meet.example.net &&

# T2: branch, through T1
# camera: 127.0.0.1:8080 -> camera:80
ssh -F none -f -N -o ExitOnForwardFailure=yes -p 20001 \
    -o HostKeyAlias=branch.example.net -o StrictHostKeyChecking=yes \
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:8080:192.168.7.20:80 ops@127.0.0.1
