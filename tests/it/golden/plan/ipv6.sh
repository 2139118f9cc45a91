# ipv6 by hand, with OpenSSH
# Each ssh goes to the background once it is logged in and listens (-f).
# Ending the outermost also ends what rides it.
# Port 20001 can be changed, everywhere alike.

# T1: gate
ssh -F none -f -N -o ExitOnForwardFailure=yes -p 2222 \
    -o StrictHostKeyChecking=yes -o ServerAliveInterval=5 \
    -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L '127.0.0.1:20001:[fe80::17]:22' alice@2001:db8::1 &&

# T2: inner, through T1
# loopback: 127.0.0.1:8081 -> inner/[::1]:3000
# web: [::1]:8080 -> web:80
ssh -F none -f -N -o ExitOnForwardFailure=yes -p 20001 \
    -o HostKeyAlias=2001:db8:0:1::17 -o StrictHostKeyChecking=yes \
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L '127.0.0.1:8081:[::1]:3000' -L '[::1]:8080:[fd00::80]:80' \
    alice@127.0.0.1
