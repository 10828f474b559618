#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A throw-away system around the built tree: ./dev rig. In three stages, each of which runs this file again: outside, in
# mounts of its own, and as the first process in there.

source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

# What the layers need that stand on cgroup controllers, by the names that Degrade= knows.
controllers=(memory pids cpu cpuset io)

help() {
        cat <<'END'
usage: ./dev rig [--profiles DIR] [--conf FILE] [--bus FILE] [--net] [--polkit] [--user NAME] [--no-build] -- COMMAND [ARGUMENT…]

Runs COMMAND in a throw-away system around the built tree and exits with its status: private mounts and processes, the
build installed over /usr, writable copies of /etc and /var, empty /run and /home, a real system bus, the real broker
(started again when it dies). Needs root, no systemd. Nothing is left behind.

  --profiles DIR   these profiles instead of the examples
  --conf FILE      as /etc/immured/immured.conf
  --bus FILE       as a file of /etc/dbus-1/system.d; may be one that the build installs
  --net            a private network namespace with loopback only
  --polkit         a real polkitd on the bus
  --user NAME      run COMMAND as alice (3001), bob (3002, also in group staff) or carol (3003)
  --no-build       take the build directory as it is

Inside, /run/rig/broker.pid names the broker's process, /run/rig/broker.log holds what it and the keepers say, and
/run/rig/cgroup is the cgroup they were given. RIG_LOG=1 in the environment prints that log at the end.
END
}

# The options, each in a variable; the stages hand them on as they came.
rig_parse() {
        rig_profiles= rig_conf= rig_bus= rig_net= rig_polkit= rig_user= rig_build=yes
        while (($#)); do
                case $1 in
                --profiles | --conf | --bus | --user)
                        (($# > 1)) || die "rig: $1 needs an argument"
                        case $1 in
                        --profiles) rig_profiles=$2 ;;
                        --conf) rig_conf=$2 ;;
                        --bus) rig_bus=$2 ;;
                        --user) rig_user=$2 ;;
                        esac
                        shift 2
                        ;;
                --net) rig_net=yes && shift ;;
                --polkit) rig_polkit=yes && shift ;;
                --no-build) rig_build= && shift ;;
                --)
                        shift
                        break
                        ;;
                *) die "rig: unknown option $1 (put -- before the command)" ;;
                esac
        done
        (($#)) || die "rig: no command; ./dev rig --help"
        rig_command=("$@")
}

main() {
        rig_parse "$@"
        need_root rig
        case $rig_user in '' | alice | bob | carol | root) ;; *) die "rig: --user is alice, bob, carol or root" ;; esac
        [ -z "$rig_profiles" ] || [ -d "$rig_profiles" ] || die "rig: $rig_profiles: no such directory"
        [ -z "$rig_conf" ] || [ -f "$rig_conf" ] || die "rig: $rig_conf: no such file"
        case $tree/ in /run/* | /etc/* | /usr/*) die "rig: the tree may not lie in $tree: the rig covers that" ;; esac
        [ -z "$rig_build" ] || build_tree
        [ -e "$build/build.ninja" ] || die "rig: nothing is built in $build"

        exec "${BASH_SOURCE[0]}" _outside "$@"
}

# In a chroot no user namespace can be made: this makes its directory the root of a mount namespace of our own.
readonly rig_new_root='
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE, MNT_DETACH = 0x20000, 0x1000, 0x4000, 0x40000, 2
SYS_pivot_root = 155 if os.uname().machine == "x86_64" else 41

def check(result):
    if result < 0:
        sys.exit("dev: rig: no root of our own: " + os.strerror(ctypes.get_errno()))

namespace = os.open("/proc/self/ns/mnt", os.O_RDONLY)
root = os.open("/", os.O_PATH)
check(libc.setns(namespace, CLONE_NEWNS))  # our own already, but this leads out of the chroot
check(libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None))
os.fchdir(root)
path = os.getcwd().encode()
check(libc.mount(path, path, None, MS_BIND | MS_REC, None))
os.chdir(path)
check(libc.syscall(SYS_pivot_root, b".", b"."))
check(libc.umount2(b".", MNT_DETACH))
os.chdir(sys.argv[1])
os.execv(sys.argv[2], sys.argv[2:])
'

# First stage: into a mount (and network) namespace that belongs to the rig.
rig_outside() {
        local unshare=(unshare --mount --propagation unchanged)

        rig_parse "$@"
        [ -z "$rig_net" ] || unshare+=(--net)
        if unshare --user true 2>/dev/null; then
                exec "${unshare[@]}" "${BASH_SOURCE[0]}" _private "$@"
        else
                exec "${unshare[@]}" /usr/bin/python3 -c "$rig_new_root" "$PWD" \
                        "$tree/tests/rig/rig.sh" _private "$@"
        fi
}

# The mount point of the v2 hierarchy, which on a hybrid machine is not the first one.
cgroup_mount() { awk '{ for (i = 7; i < NF; i++) if ($i == "-" && $(i+1) == "cgroup2") { print $5; exit } }' /proc/self/mountinfo; }

rig_remove_cgroup() {
        local i
        [ -d "$1" ] || return 0
        echo 1 >"$1/cgroup.kill" 2>/dev/null || :
        # The kernel lets go of a killed process a moment after the signal.
        for ((i = 0; i < 100; i++)); do
                find "$1" -depth -type d -exec rmdir {} + 2>/dev/null || :
                [ -d "$1" ] || return 0
                sleep 0.05
        done
        say "dev: rig: $1 could not be removed"
}

# Rigs whose shell was killed outright could not tidy up. Each holds a lock on its cgroup for as long as it lives: a
# process id would say nothing of a rig in another container that shares the hierarchy.
rig_sweep() {
        local dir
        for dir in "$1"/immured-rig.*; do
                [ -d "$dir" ] || continue
                ! flock --nonblock "$dir" true 2>/dev/null || rig_remove_cgroup "$dir"
        done
}

# Makes rig_cgroup and takes its lock, with the hierarchy locked so that no other rig sweeps it away between the two.
rig_make_cgroup() {
        local hierarchy_lock
        exec {hierarchy_lock}<"$1"
        flock "$hierarchy_lock"
        rig_sweep "$1"
        rig_cgroup=$(mktemp -d "$1/immured-rig.XXXXXX") || die "rig: no cgroup may be made in $1"
        chmod 0755 "$rig_cgroup"
        exec {rig_lock}<"$rig_cgroup"
        flock "$rig_lock"
        exec {hierarchy_lock}<&-
}

# Second stage: what must outlive the processes of the rig, and is taken away after them.
rig_private() {
        local hierarchy status=0 child=

        rig_parse "$@"
        mount --make-rprivate /
        rig_home=
        hierarchy=$(cgroup_mount)
        if [ -z "$hierarchy" ]; then
                mount -t cgroup2 cgroup2 /sys/fs/cgroup || die "rig: this kernel has no cgroup v2 hierarchy to use"
                hierarchy=/sys/fs/cgroup
        fi
        rig_make_cgroup "$hierarchy"
        trap 'rig_remove_cgroup "$rig_cgroup"; [ -z "$rig_home" ] || rm -rf --one-file-system "$rig_home"' EXIT
        rig_homes_on_disk

        # In the background, so that a signal to this shell is acted on at once and not when COMMAND ends; with the
        # dispositions and the input that a command in the foreground has.
        trap '[ -z "$child" ] || kill -KILL "$child" 2>/dev/null' TERM HUP
        env --default-signal=INT,QUIT,PIPE RIG_CGROUP="$rig_cgroup" RIG_HOME="$rig_home" \
                setpriv --pdeathsig KILL unshare --mount --propagation private --pid --fork --kill-child \
                "$tree/tests/rig/rig.sh" _inside "$@" <&0 {rig_lock}<&- &
        child=$!
        trap : INT QUIT
        while :; do
                status=0
                wait "$child" 2>/dev/null || status=$?
                kill -0 "$child" 2>/dev/null || break
        done
        exit "$status"
}

rig_homes_on_disk() { tmpfs_has_idmap || rig_home=$(mktemp -d /var/tmp/immured-rig.XXXXXX); }

# Covers a directory with a writable copy whose changes are thrown away.
rig_copy_on_write() {
        mkdir -p "/run/rig/$1/upper" "/run/rig/$1/work"
        chmod --reference="/$1" "/run/rig/$1/upper"
        mount -t overlay -o "lowerdir=/$1,upperdir=/run/rig/$1/upper,workdir=/run/rig/$1/work" "rig-$1" "/$1"
}

# Paths that the user works with and that what follows would hide: held by descriptor, put back afterwards.
rig_keep_paths() {
        local path kept
        rig_kept=()
        for path in "$tree" "$build" "$rig_cwd" ${rig_profiles:+"$rig_profiles"} ${rig_conf:+"$rig_conf"} \
                ${rig_bus:+"$rig_bus"}; do
                path=$(realpath -m "$path")
                case $path/ in /home/?* | /tmp/?* | /var/?*) ;; *) continue ;; esac
                for kept in ${rig_kept[@]+"${rig_kept[@]}"}; do
                        case $path/ in "$kept"/*) continue 2 ;; esac
                done
                mkdir -p "/run/rig/kept/${#rig_kept[@]}"
                if [ -f "$path" ]; then
                        rmdir "/run/rig/kept/${#rig_kept[@]}"
                        : >"/run/rig/kept/${#rig_kept[@]}"
                fi
                mount --rbind "$path" "/run/rig/kept/${#rig_kept[@]}"
                rig_kept+=("$path")
        done
}

rig_restore_paths() {
        local i path
        for i in "${!rig_kept[@]}"; do
                path=${rig_kept[i]}
                if [ -f "/run/rig/kept/$i" ]; then
                        mkdir -p "${path%/*}"
                        : >>"$path"
                else
                        mkdir -p "$path"
                fi
                mount --move "/run/rig/kept/$i" "$path"
        done
}

# An empty one that takes idmapped mounts, which an overlay does not.
rig_own_file_system() {
        if [ -n "${RIG_HOME:-}" ]; then
                mkdir -p "$RIG_HOME$1"
                mount --bind "$RIG_HOME$1" "$1"
        else
                mount -t tmpfs -o mode=0755,nosuid,nodev tmpfs "$1"
        fi
}

rig_file_systems() {
        mount -t proc -o nosuid,nodev,noexec proc /proc
        mount -t tmpfs -o mode=0755,nosuid,nodev tmpfs /run
        mkdir -m 0755 /run/rig /run/dbus /run/lock
        mkdir -m 0700 /run/rig/kept
        # The tree's own files go in front of the machine's; whatever is installed there already is hidden by them.
        mkdir -m 0755 /run/rig/destdir
        DESTDIR=/run/rig/destdir meson install -C "$build" --no-rebuild --quiet >/run/rig/install.log 2>&1 ||
                { cat /run/rig/install.log >&2; die "rig: meson install failed"; }
        # A real polkitd would be started on demand: without --polkit there shall be none.
        if [ -z "$rig_polkit" ]; then
                mkdir -p /run/rig/destdir/usr/share/dbus-1/system-services
                mknod /run/rig/destdir/usr/share/dbus-1/system-services/org.freedesktop.PolicyKit1.service c 0 0
        fi
        rig_keep_paths
        mount -t overlay -o "ro,lowerdir=/run/rig/destdir/usr:/usr" rig-usr /usr
        rig_copy_on_write etc
        rig_copy_on_write var
        rig_copy_on_write tmp
        mkdir -p -m 0755 /var/lib/immured /var/cache/immured
        rig_own_file_system /home
        rig_own_file_system /var/lib/immured
        rig_own_file_system /var/cache/immured
        rig_restore_paths
}

rig_users() {
        local i name uid file
        local names=(alice bob carol)

        for file in passwd group shadow gshadow; do
                [ -e /etc/$file ] || continue
                sed -i -E -e '/^(alice|bob|carol):/d' -e '/^[^:]*:[^:]*:300[123]:/d' /etc/$file
        done
        grep -q '^users:' /etc/group || echo 'users:x:100:' >>/etc/group
        grep -q '^staff:' /etc/group || echo 'staff:x:50:' >>/etc/group
        sed -i -E -e 's/^(users:[^:]*:[^:]*:).*/\1alice,bob/' -e 's/^(staff:[^:]*:[^:]*:).*/\1bob/' /etc/group
        for i in 0 1 2; do
                name=${names[i]} uid=$((3001 + i))
                echo "$name:x:$uid:$uid:${name^}:/home/$name:/bin/bash" >>/etc/passwd
                echo "$name:x:$uid:" >>/etc/group
                mkdir -p "/home/$name"
                chown "$uid:$uid" "/home/$name"
                chmod 0700 "/home/$name"
        done
}

# landlock_create_ruleset(2) with LANDLOCK_CREATE_RULESET_VERSION; the number is the same on every machine.
rig_has_landlock() {
        python3 -c 'import ctypes, sys; sys.exit(ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), 1) < 2)'
}

rig_configuration() {
        local have missing=() name

        rm -rf /etc/immured
        mkdir -p /etc/immured/immured.conf.d
        cp -R --no-dereference "${rig_profiles:-/usr/share/immured/examples}" /etc/immured/profiles
        [ -z "$rig_conf" ] || cp "$rig_conf" /etc/immured/immured.conf
        [ -z "$rig_bus" ] || install -D -m 644 "$rig_bus" /etc/dbus-1/system.d/rig.conf
        have=" $(cat "$RIG_CGROUP/cgroup.controllers") "
        for name in "${controllers[@]}"; do
                [[ $have == *" $name "* ]] || missing+=("$name")
        done
        ((!${#missing[@]})) ||
                say "dev: rig: no limits for ${missing[*]}: this machine's cgroup v2 hierarchy does not offer them"
        if ! rig_has_landlock; then
                say "dev: rig: no second wall behind the mounts: this machine's kernel has no Landlock switched on"
                missing+=(landlock)
        fi
        if ((${#missing[@]})); then
                printf '[Broker]\nDegrade=%s\n' "${missing[*]}" >/etc/immured/immured.conf.d/10-rig.conf
        fi
        chown -R root:root /etc/immured
        find /etc/immured ! -type l -exec chmod go-w,a+rX {} +
}

# Runs "$@" apart from the terminal and its signals, output to a log.
rig_daemon() {
        local log=$1
        shift
        setsid env -i --default-signal PATH="$rig_path" LANG=C.UTF-8 \
                ${ASAN_OPTIONS:+ASAN_OPTIONS="$ASAN_OPTIONS"} ${UBSAN_OPTIONS:+UBSAN_OPTIONS="$UBSAN_OPTIONS"} \
                "$@" </dev/null >>"$log" 2>&1
}

rig_wait_for() {
        local what=$1 i
        shift
        for ((i = 0; i < 600; i++)); do
                "$@" >/dev/null 2>&1 && return 0
                sleep 0.05
        done
        say "dev: rig: $what did not come up:"
        tail -n 50 /run/rig/*.log >&2
        return 1
}

rig_has_name() {
        [ "$(busctl --system call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus NameHasOwner s "$1")" = "b true" ]
}

# The broker starts the keepers here, so it needs what their unit grants, and gets nothing beyond it.
rig_bounding_set() {
        sed -n 's/^CapabilityBoundingSet=//p' "$1" | tr ' ' '\n' | sed -n 's/^CAP_/+/p' | tr 'A-Z\n' 'a-z,' | sed 's/,$//'
}

# As Restart=on-failure: a broker that ends well has been told to.
rig_supervise() {
        local status bounding
        bounding=$(rig_bounding_set "$(find /usr/lib/systemd/system /lib/systemd/system -name immured-user@.service | head -n 1)")
        while [ ! -e /run/rig/stopping ]; do
                status=0
                rig_daemon /run/rig/broker.log setpriv --bounding-set "-all${bounding:+,$bounding}" --inh-caps=-all \
                        sh -c 'echo $$ >/run/rig/broker.pid; exec "$@"' sh \
                        /usr/libexec/immured/immured --cgroup-root="$RIG_CGROUP" || status=$?
                echo "rig: broker ended with status $status" >>/run/rig/broker.log
                ((status)) || break
                sleep 0.1
        done
}

# The last stage, pid 1 of the rig: its end is the end of everything in here.
rig_inside() {
        local rig_path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
        local rig_cwd=$PWD supervisor status=0 i switch=()

        rig_parse "$@"
        umask 0022
        rig_file_systems
        rig_users
        rig_configuration
        ln -s "$RIG_CGROUP" /run/rig/cgroup
        [ -z "$rig_net" ] || ip link set lo up
        hash -r

        rig_daemon /run/rig/bus.log dbus-daemon --config-file=/usr/share/dbus-1/system.conf --nofork --nopidfile --nosyslog &
        rig_wait_for "the bus" busctl --system list
        if [ -n "$rig_polkit" ]; then
                rig_daemon /run/rig/polkit.log /usr/lib/polkit-1/polkitd --no-debug &
                rig_wait_for polkitd rig_has_name org.freedesktop.PolicyKit1
        fi
        rig_supervise 2>>/run/rig/broker.log &
        supervisor=$!
        rig_wait_for "the broker" rig_has_name org.immured.Broker1

        cd "$rig_cwd" 2>/dev/null || cd /
        case $rig_user in
        '' | root) switch=(env -i HOME=/root USER=root LOGNAME=root SHELL=/bin/bash) ;;
        *)
                cd "/home/$rig_user"
                switch=(setpriv --reuid="$rig_user" --regid="$rig_user" --init-groups --bounding-set=-all --inh-caps=-all --
                        env -i HOME="/home/$rig_user" USER="$rig_user" LOGNAME="$rig_user" SHELL=/bin/bash)
                ;;
        esac
        "${switch[@]}" PATH="$rig_path" LANG=C.UTF-8 TERM="${TERM:-dumb}" IMMURED_RIG=/run/rig \
                "${rig_command[@]}" || status=$?

        # An orderly end: what a sanitizer finds on the way out is a failure of the tree.
        : >/run/rig/stopping
        kill -TERM "$(cat /run/rig/broker.pid)" 2>/dev/null || :
        for ((i = 0; i < 200; i++)); do
                kill -0 "$supervisor" 2>/dev/null || break
                sleep 0.05
        done
        [ -z "${RIG_LOG:-}" ] || cat /run/rig/broker.log >&2
        if grep -Eq '(runtime error:|(Address|Leak)Sanitizer)' /run/rig/broker.log; then
                grep -E -A 30 '(runtime error:|(Address|Leak)Sanitizer)' /run/rig/broker.log >&2
                ((status)) || status=99
        fi
        exit "$status"
}

case ${1:-} in
-h | --help) help ;;
_outside | _private | _inside)
        stage=rig${1/_/_}
        shift
        "$stage" "$@"
        ;;
*) main "$@" ;;
esac
