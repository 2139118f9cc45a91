# one-address by hand, with OpenSSH
# Each ssh goes to the background once it is logged in and listens (-f).
# Ending the outermost also ends what rides it.
# Ports 20001 to 20004 can be changed, everywhere alike.

# T1: router
ssh -F none -f -N -o ExitOnForwardFailure=yes -p 2022 \
    -o StrictHostKeyChecking=yes -o ServerAliveInterval=5 \
    -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:20001:192.0.2.1:2202 -L 127.0.0.1:20002:192.0.2.1:2201 \
    alice@router &&

# T2: blue, through T1
# blue: 127.0.0.1:20003 -> blue/localhost:7000 (auto: any free port will do)
ssh -F none -f -N -o ExitOnForwardFailure=yes -p 20001 \
    -o 'HostKeyAlias=[blue]:2022' -o StrictHostKeyChecking=yes \
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:20003:localhost:7000 alice@127.0.0.1 &&

# T3: red, through T1
# red: 127.0.0.1:20004 -> red/localhost:7000 (auto: any free port will do)
ssh -F none -f -N -o ExitOnForwardFailure=yes -p 20002 \
    -o 'HostKeyAlias=[red]:2022' -o StrictHostKeyChecking=yes \
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:20004:localhost:7000 alice@127.0.0.1
