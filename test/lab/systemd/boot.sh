#!/bin/sh
# Boots systemd as the first process of new mount, pid, cgroup, uts and ipc namespaces, on a Debian tree that stays as it
# is: what the host writes goes to a folder of its own. All mounts end with the namespace.
#
# Usage: boot.sh NAME TREE FOLDER TANIST MODULES
set -eu
name=$1 tree=$2 folder=$3 tanist=$4 modules=$5 root=$3/root
mount --make-rprivate /
mkdir -p "$folder/upper" "$folder/work" "$root"
mount -t overlay overlay -o "lowerdir=$tree,upperdir=$folder/upper,workdir=$folder/work" "$root"

# The clone, as a user would have it at /opt/tanist after `npm ci && npm run build`.
for part in bin deploy dist package.json README.md; do
  case $part in
    *.*) mkdir -p "$root/opt/tanist" && touch "$root/opt/tanist/$part" ;;
    *) mkdir -p "$root/opt/tanist/$part" ;;
  esac
  mount --bind -o ro "$tanist/$part" "$root/opt/tanist/$part"
done
mkdir -p "$root/opt/tanist/node_modules"
mount --bind -o ro "$modules" "$root/opt/tanist/node_modules"

mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"

hostname "$name"
echo "$name" >"$root/etc/hostname"
: >"$root/etc/machine-id"
cd "$root"
mkdir -p .old
pivot_root . .old
umount -l /.old
rmdir /.old 2>/dev/null || true
exec env -i container=lab PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  /lib/systemd/systemd --log-target=journal --show-status=false
