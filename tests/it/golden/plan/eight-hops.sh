# eight-hops by hand, with OpenSSH
# Each ssh goes to the background once it is logged in and listens (-f).
# Ending the outermost also ends what rides it.
# Ports 20001 to 20006 can be changed, everywhere alike.

# T1: h1
ssh -F none -f -N -o ExitOnForwardFailure=yes -o StrictHostKeyChecking=yes \
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:20001:h2:22 alice@h1.example.net &&

# T2: h2, through T1
ssh -F none -f -N -o ExitOnForwardFailure=yes -p 20001 -o HostKeyAlias=h2 \
    -o StrictHostKeyChecking=yes -o ServerAliveInterval=5 \
    -o ServerAliveCountMax=3 -o ConnectTimeout=20 -L 127.0.0.1:20002:h3:22 \
    alice@127.0.0.1 &&

# T3: h3, through T2
ssh -F none -f -N -o ExitOnForwardFailure=yes -p 20002 -o HostKeyAlias=h3 \
    -o StrictHostKeyChecking=yes -o ServerAliveInterval=5 \
    -o ServerAliveCountMax=3 -o ConnectTimeout=20 -L 127.0.0.1:20003:h4:2222 \
    alice@127.0.0.1 &&

# T4: h4, through T3
ssh -F none -f -N -o ExitOnForwardFailure=yes -p 20003 \
    -o 'HostKeyAlias=[h4]:2222' -o StrictHostKeyChecking=yes \
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:20004:h5:22 bob@127.0.0.1 &&

# T5: h5, through T4
ssh -F none -f -N -o ExitOnForwardFailure=yes -p 20004 -o HostKeyAlias=h5 \
    -o StrictHostKeyChecking=yes -o ServerAliveInterval=5 \
    -o ServerAliveCountMax=3 -o ConnectTimeout=20 -L 127.0.0.1:20005:h6:22 \
    bob@127.0.0.1 &&

# T6: h6, through T5
ssh -F none -f -N -o ExitOnForwardFailure=yes -p 20005 -o HostKeyAlias=h6 \
    -o StrictHostKeyChecking=yes -o ServerAliveInterval=5 \
    -o ServerAliveCountMax=3 -o ConnectTimeout=20 -L 127.0.0.1:20006:h7:22 \
    carol@127.0.0.1 &&

# T7: h7, through T6
# far: 127.0.0.1:7008 -> far:7000
ssh -F none -f -N -o ExitOnForwardFailure=yes -p 20006 -o HostKeyAlias=h7 \
    -o StrictHostKeyChecking=yes -o ServerAliveInterval=5 \
    -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:7008:10.0.0.8:7000 carol@127.0.0.1
