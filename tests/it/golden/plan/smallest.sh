# smallest by hand, with OpenSSH
# Each ssh goes to the background once it is logged in and listens (-f).
# Ending the outermost also ends what rides it.

# T1: gate
# web: 127.0.0.1:8080 -> web:80
ssh -F none -f -N -o ExitOnForwardFailure=yes -o StrictHostKeyChecking=yes \
    -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ConnectTimeout=20 \
    -L 127.0.0.1:8080:web.example.net:80 alice@gate.example.net
