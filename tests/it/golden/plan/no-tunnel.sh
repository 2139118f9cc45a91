# no-tunnel by hand, with OpenSSH

# print: no tunnel, so nothing for ssh to do; 192.0.2.9:9100 is dialled from here
