# corporate-bastion by hand, with OpenSSH
# Each ssh goes to the background once it is logged in and listens (-f).
# Ending the outermost also ends what rides it.
# Port 20001 can be changed, everywhere alike.

# T1: bastion
# intranet: 127.0.0.1:8081 -> intranet:80
ssh -F none -f -N -o ExitOnForwardFailure=yes -o StrictHostKeyChecking=yes \
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:20001:db1.core.example.net:22 \
    -L 127.0.0.1:8081:intranet.core.example.net:80 alice@bastion.example.net &&

# T2: database, through T1
# db: 127.0.0.1:15432 -> database/127.0.0.1:5432
ssh -F none -f -N -o ExitOnForwardFailure=yes -p 20001 \
    -o HostKeyAlias=db1.core.example.net -o StrictHostKeyChecking=yes \
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:15432:127.0.0.1:5432 tunnel@127.0.0.1
