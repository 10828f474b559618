# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A web server for ~/data/www on the socket ~/data/nginx.sock; its configuration is ~/data/nginx.conf:
#   immurectl launch nginx
#   curl --unix-socket ~/data/nginx.sock http://localhost/
# The least that the configuration must say:
#   error_log stderr;
#   events {}
#   http {
#       access_log off;
#       client_body_temp_path /tmp/body; proxy_temp_path /tmp/proxy; fastcgi_temp_path /tmp/fastcgi;
#       uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi;
#       server { listen unix:nginx.sock; root www; }
#   }
[Profile]
Description=Web server for ~/data/www on the socket ~/data/nginx.sock
Documentation=man:nginx(8)

[Access]
AllowGroups=users
MaxInstances=1

[Exec]
# As the user it needs no change of users, and so no master with more rights than its workers.
ExecStart=/usr/sbin/nginx -e stderr -p %h/data -c %h/data/nginx.conf -g 'daemon off; pid /run/user/%U/nginx.pid;'
WorkingDirectory=%h/data
# What it makes is its socket, which others of the group may be let to.
UMask=0007

[Files]
BindPaths=%h/data

[Network]
RestrictAddressFamilies=AF_UNIX

[Resources]
MemoryMax=256M
TasksMax=64

[Security]
MemoryDenyWriteExecute=yes

[Service]
# "Finish what you are serving"; SIGTERM would drop it.
KillSignal=SIGQUIT
OnDisconnect=keep
