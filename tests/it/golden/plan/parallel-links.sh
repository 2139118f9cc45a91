# parallel-links by hand, with OpenSSH
# Each ssh goes to the background once it is logged in and listens (-f).
# Ending the outermost also ends what rides it.
# Port 20001 can be changed, everywhere alike.

# T1: gate
# sql: 127.0.0.1:15432 -> database:5432
ssh -F none -f -N -o ExitOnForwardFailure=yes -o StrictHostKeyChecking=yes \
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:20001:db1:22 -L 127.0.0.1:15432:10.1.0.7:5432 \
    alice@gate.example.net &&

# T2: database, through T1
# inside: 127.0.0.1:15433 -> database/127.0.0.1:9187
ssh -F none -f -N -o ExitOnForwardFailure=yes -p 20001 -o HostKeyAlias=db1 \
    -o StrictHostKeyChecking=yes -o ServerAliveInterval=5 \
    -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:15433:127.0.0.1:9187 alice@127.0.0.1
