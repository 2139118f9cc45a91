# many-ways by hand, with OpenSSH
# Each ssh goes to the background once it is logged in and listens (-f).
# Ending the outermost also ends what rides it.

# T1: north
# admin: 127.0.0.1:18001 -> page:8001
# page: 127.0.0.1:18080 -> page:80
ssh -F none -f -N -o ExitOnForwardFailure=yes -o StrictHostKeyChecking=yes \
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:18001:page.example.net:8001 \
    -L 127.0.0.1:18080:page.example.net:80 alice@north.example.net
