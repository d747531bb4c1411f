#!/bin/sh
# Boots this machine's own Debian a second time, as a machine of its own: namespaces, an overlay in memory over /, and systemd as its first
# process. Nothing of it reaches this machine's files; it ends with the process that started it.
#   systemd-machine.sh NAME    NAME = of its control groups
set -eu
if [ "${2:-}" != inside ]; then
  if [ ! -e /sys/fs/cgroup/cgroup.controllers ]; then
    for tree in /sys/fs/cgroup/*/; do
      [ -e "$tree/cgroup.procs" ] || continue
      mkdir -p "$tree$1"
      for what in cpuset.cpus cpuset.mems; do [ ! -e "$tree$what" ] || cat "$tree$what" >"$tree$1/$what"; done
      echo $$ >"$tree$1/cgroup.procs"
    done
  else
    mkdir -p "/sys/fs/cgroup/$1" && echo $$ >"/sys/fs/cgroup/$1/cgroup.procs"
  fi
  exec unshare --pid --fork --kill-child --mount --uts --ipc --cgroup --net "$0" "$1" inside
fi

mount --make-rprivate /
mount -t tmpfs -o size=2g tmpfs /mnt
mkdir /mnt/changed /mnt/work /mnt/root
mount -t overlay -o lowerdir=/,upperdir=/mnt/changed,workdir=/mnt/work overlay /mnt/root
cd /mnt/root
# what is none of its business, or would change the kernel for everybody
for unit in mosquitto postgresql docker-registry systemd-sysctl systemd-modules-load systemd-udevd systemd-binfmt systemd-timesyncd e2scrub_reap getty@tty1; do
  ln -sfn /dev/null "etc/systemd/system/$unit.service"
done
rm -rf var/lib/docker var/lib/containerd etc/systemd/system/timers.target.wants
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom tty; do touch "dev/$device" && mount --bind "/dev/$device" "dev/$device"; done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
mount -t tmpfs tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  mount -t cgroup2 cgroup2 sys/fs/cgroup
else
  mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
  for tree in cpu cpuacct cpuset memory devices freezer blkio pids; do mkdir "sys/fs/cgroup/$tree" && mount -t cgroup -o "$tree" cgroup "sys/fs/cgroup/$tree"; done
  mkdir sys/fs/cgroup/systemd && mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
fi
# whoever looks in sees by it that this is not the host any more
touch .machine
mkdir .before
pivot_root . .before
cd /
umount -l /.before
hostname gateway
ip link set lo up
exec env -i container=skerry PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb /lib/systemd/systemd --unit=multi-user.target --show-status=0
