# inside by hand, with OpenSSH
# Each ssh goes to the background once it is logged in and listens (-f).
# Ending the outermost also ends what rides it.
# Port 20001 can be changed, everywhere alike.

# T1: gate
ssh -F none -f -N -o ExitOnForwardFailure=yes -o StrictHostKeyChecking=yes \
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:20001:db1:22 alice@gate.example.net &&

# T2: database, through T1
# metrics: 127.0.0.1:19187 -> database/127.0.0.1:9187
# neighbour: 127.0.0.1:16379 -> database/cache.internal:6379
# socket: 127.0.0.1:15432 -> database//var/run/postgresql/.s.PGSQL.5432
ssh -F none -f -N -o ExitOnForwardFailure=yes -p 20001 -o HostKeyAlias=db1 \
    -o StrictHostKeyChecking=yes -o ServerAliveInterval=5 \
    -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:19187:127.0.0.1:9187 -L 127.0.0.1:16379:cache.internal:6379 \
    -L 127.0.0.1:15432:/var/run/postgresql/.s.PGSQL.5432 postgres@127.0.0.1
