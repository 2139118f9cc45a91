# far-listeners by hand, with OpenSSH
# Each ssh goes to the background once it is logged in and listens (-f).
# Ending the outermost also ends what rides it.
# Ports 20001 to 20003 can be changed, everywhere alike.

# T1: gate
# back: gate/127.0.0.1:7000 -> local/127.0.0.1:7000
# shared: gate/0.0.0.0:8081 -> web:80
ssh -F none -f -N -o ExitOnForwardFailure=yes -o StrictHostKeyChecking=yes \
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:20001:inner.lan:22 -R 127.0.0.1:7000:127.0.0.1:7000 \
    -R 0.0.0.0:8081:127.0.0.1:20003 alice@gate.example.net &&

# T2: side
ssh -F none -f -N -o ExitOnForwardFailure=yes -o StrictHostKeyChecking=yes \
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:20002:10.1.1.80:80 -L 127.0.0.1:20003:10.1.1.80:80 \
    bob@side.example.net &&

# T3: inner, through T1
# across: inner/127.0.0.1:8080 -> web:80
# chosen: inner/127.0.0.1:auto -> local/127.0.0.1:7001 (ssh says which port)
ssh -F none -f -N -o ExitOnForwardFailure=yes -p 20001 \
    -o HostKeyAlias=inner.lan -o StrictHostKeyChecking=yes \
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -R 127.0.0.1:8080:127.0.0.1:20002 -R 127.0.0.1:0:127.0.0.1:7001 \
    alice@127.0.0.1
