# SPDX-License-Identifier: LGPL-2.1-or-later
# As many keys as go together, some tighter than the default, some looser.
[Profile]
Description=Everything
[Access]
AllowUsers=alice
AllowGroups=users staff
DenyUsers=bob
ManageGroups=staff
MaxInstances=7
Arguments=append
PassEnvironment=TERM COLOUR
[Exec]
ExecStart=/usr/bin/true
WorkingDirectory=/tmp
Environment=A=1 B=2
Environment=C=3
UnsetEnvironment=B
UMask=0022
Nice=5
OOMScoreAdjust=100
LimitNOFILE=64:128
LimitCORE=0
[Namespaces]
Hostname=other
RestrictNamespaces=no
[Files]
BindPaths=-%h/data
BindReadOnlyPaths=-/srv:/srv
TemporaryFileSystem=/scratch:size=1M
InaccessiblePaths=-/usr/share/doc
ReadOnlyPaths=-/scratch
NoExecPaths=/tmp
ProtectProc=default
PrivateTmpSize=128M
[Network]
RestrictAddressFamilies=
RestrictAddressFamilies=AF_UNIX
[Resources]
MemoryHigh=1G
MemoryMax=2G
CPUQuota=50%
TasksMax=1000
OOMPolicy=continue
[Security]
CapabilityBoundingSet=CAP_NET_RAW CAP_CHOWN
AmbientCapabilities=CAP_NET_RAW
SystemCallFilter=@system-service
SystemCallFilter=ptrace
SystemCallFilter=~@network-io
SystemCallFilter=~kill:EACCES
SystemCallErrorNumber=EACCES
SystemCallLog=openat
LockPersonality=no
RestrictRealtime=no
RestrictSUIDSGID=no
Degrade=memory
[Service]
Type=oneshot
TimeoutStopSec=1s
RuntimeMaxSec=1h
KillSignal=SIGINT
SuccessExitStatus=3 SIGTERM
OnDisconnect=stop
[Log]
SyslogIdentifier=everything
SyslogLevel=notice
SyslogLevelPrefix=yes
LogLevelMax=warning
