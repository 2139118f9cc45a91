# two-ways-in by hand, with OpenSSH
# Each ssh goes to the background once it is logged in and listens (-f).
# Ending the outermost also ends what rides it.
# Ports 20001 to 20002 can be changed, everywhere alike.

# T1: cable
ssh -F none -f -N -o ExitOnForwardFailure=yes -o StrictHostKeyChecking=yes \
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:20001:inside.example.net:22 alice@cable.example.net &&

# T2: inside, through T1
# page: 127.0.0.1:8082 -> meter:80
# readings: 127.0.0.1:20002 -> meter:7000 (auto: any free port will do)
ssh -F none -f -N -o ExitOnForwardFailure=yes -p 20001 \
    -o HostKeyAlias=inside.example.net -o StrictHostKeyChecking=yes \
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:8082:192.168.7.20:80 -L 127.0.0.1:20002:192.168.7.20:7000 \
    alice@127.0.0.1
