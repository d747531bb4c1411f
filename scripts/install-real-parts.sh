#!/bin/sh
# Installs the programs that the real suites run against, from Debian, when they are missing and we may. Never fails: what is missing after
# this is reported by the suites as not run.
set -u
missing=""
want() { # program package
  command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || missing="$missing $2"
}
want dockerd docker.io
want mosquitto mosquitto
want chromium chromium
want docker-registry docker-registry
want qemu-aarch64-static qemu-user-static
want faketime faketime
want mkfs.xfs xfsprogs
want iptables iptables
want ip iproute2
want curl curl
want systemctl systemd
want strace strace
want kubectl kubernetes-client
[ -x /bin/busybox ] && [ -f /var/lib/dpkg/info/busybox-static.list ] || missing="$missing busybox-static"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "test: not installed here, their suites will be reported as not run:$missing" >&2
  exit 0
fi
echo "test: installing$missing (apt-get)"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq >/dev/null 2>&1 || echo "test: apt-get update failed" >&2
for package in $missing; do
  apt-get install -y -qq --no-install-recommends "$package" >/tmp/skerry-apt.log 2>&1 || { echo "test: could not install $package:" >&2; tail -3 /tmp/skerry-apt.log >&2; }
done
exit 0
