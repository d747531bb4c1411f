#!/bin/sh
# Installs the Skerry agent on a gateway with systemd, from the kit that this script lies in. Run it again to upgrade: the agent is
# started anew and adopts what runs; no workload is touched.
#
#   sh install.sh [--join FILE] [--page HOST:PORT] [--node PATH] [--root DIR]
#   sh install.sh --remove [--purge]
#
#   --join FILE       made by "skerry join DEVICE", or by "skerry enroll" for many devices; without it the agent waits for one and says so on its page
#   --page HOST:PORT  where the device's page answers (default 127.0.0.1:8090; 0.0.0.0:8090 for the local network)
#   --node PATH       Node 20 or newer (default: the one on the PATH)
#   --root DIR        into a system image that is mounted there, for flashing; nothing is started
#   --remove          takes the agent away; what it started runs on. --purge: also its state, with volumes and secrets of pods
set -eu

fail() {
  echo "install.sh: $1" >&2
  exit 1
}

here=$(cd "$(dirname "$0")" && pwd)
root='' join='' page='' node='' remove='' purge=''
while [ $# -gt 0 ]; do
  case "$1" in
    --join | --page | --node | --root)
      [ $# -ge 2 ] || fail "$1 needs a value; see the head of this file"
      case "$1" in
        --join) join=$2 ;;
        --page) page=$2 ;;
        --node) node=$2 ;;
        --root) root=${2%/} ;;
      esac
      shift 2
      ;;
    --remove) remove=yes && shift ;;
    --purge) purge=yes && shift ;;
    -h | --help) sed -n '2,15s/^# \{0,1\}//p' "$0" && exit 0 ;;
    *) fail "there is no option $1; it is one of --join, --page, --node, --root, --remove, --purge" ;;
  esac
done

[ "$(id -u)" = 0 ] || fail "this must be run as root: sudo sh $0"
[ -z "$root" ] || [ -d "$root/etc" ] || fail "--root $root is not a system: it has no etc"
[ -n "$root" ] || [ -d /run/systemd/system ] || fail "this machine does not run systemd; see edge-agent/systemd/skerry-agent.service for what to start instead"

lib=/usr/lib/skerry-agent
units=/etc/systemd/system
state=/var/lib/skerry-agent
names='skerry-agent.service skerry-agent.socket skerry-rescue.service skerry-rescue.socket'

if [ -n "$remove" ]; then
  if [ -n "$root" ]; then
    systemctl --root="$root" disable skerry-agent.service skerry-agent.socket
  else
    systemctl disable --now skerry-agent.service skerry-agent.socket
    systemctl stop skerry-rescue.socket skerry-rescue.service
  fi
  for name in $names; do rm -rf "$root$units/$name" "$root$units/$name.d"; done
  rm -rf "$root$lib" "$root/usr/bin/skerry-agent"
  [ -z "$purge" ] || rm -rf "$root$state" "$root/etc/default/skerry-agent" "$root/run/skerry-agent"
  [ -n "$root" ] || systemctl daemon-reload
  echo "The agent is removed. What it started runs on: docker ps --filter label=dev.skerry.device"
  exit 0
fi

# in an image for another machine it cannot be started: whoever names it knows
[ -n "$node" ] || node=$(PATH="$root/usr/local/bin:$root/usr/bin" command -v node) || fail "there is no Node: install Node 20 or newer, or name it with --node PATH"
node=${node#"$root"}
[ -x "$root$node" ] || fail "--node $node is not a program"
if [ -z "$root" ]; then
  version=$("$node" -p process.versions.node) || fail "$node does not start"
  [ "${version%%.*}" -ge 20 ] || fail "$node is Node $version; the agent needs Node 20 or newer: https://nodejs.org, or --node PATH"
fi
[ -z "$join" ] || [ -r "$join" ] || fail "--join $join cannot be read"
case "$page" in
  '' | *:[0-9]*) ;;
  *) fail "--page $page must be HOST:PORT, such as 0.0.0.0:8090" ;;
esac

install -d -m 0755 "$root$lib" "$root/usr/bin" "$root$units" "$root/etc/default"
install -d -m 0700 "$root$state"
# beside and then into place: a running agent or a power cut never sees half a file
for file in skerry-agent.cjs skerry-launch.cjs; do
  install -m 0644 "$here/$file" "$root$lib/$file.new"
  sync "$root$lib/$file.new"
  mv -f "$root$lib/$file.new" "$root$lib/$file"
done
for file in LICENSE THIRD-PARTY-LICENCES; do install -m 0644 "$here/$file" "$root$lib/$file"; done
ln -sfn "$node" "$root$lib/node"
printf '#!/bin/sh\nexec %s/node %s/skerry-agent.cjs "$@"\n' "$lib" "$lib" >"$root/usr/bin/skerry-agent"
chmod 0755 "$root/usr/bin/skerry-agent"
for name in $names; do install -m 0644 "$here/$name" "$root$units/$name"; done
[ -e "$root/etc/default/skerry-agent" ] || cat >"$root/etc/default/skerry-agent" <<'END'
# Environment of the Skerry agent; all names: skerry-agent --help. After a change: systemctl restart skerry-agent
#SKERRY_DOCKER=/var/run/docker.sock
#SKERRY_NO_REMOTE_EXEC=1
END
if [ -n "$page" ]; then
  for name in skerry-agent.socket skerry-rescue.socket; do
    install -d -m 0755 "$root$units/$name.d"
    printf '[Socket]\nListenStream=\nListenStream=%s\n' "$page" >"$root$units/$name.d/page.conf"
  done
fi
if [ -n "$join" ]; then
  install -m 0600 "$join" "$root$state/join.json.new"
  mv -f "$root$state/join.json.new" "$root$state/join.json"
fi

if [ -n "$root" ]; then
  systemctl --root="$root" enable skerry-agent.socket skerry-agent.service
  echo "The agent is in $root. It starts with the system; its join file belongs to $state/join.json there, mode 0600."
  exit 0
fi
systemctl daemon-reload
systemctl enable --quiet skerry-agent.socket skerry-agent.service
# a new address of the page needs a new socket, and that the agent lets go of the old one
systemctl stop skerry-rescue.socket skerry-rescue.service skerry-agent.service
# one that failed too often would not be started for a minute
systemctl reset-failed skerry-agent.socket skerry-agent.service 2>/dev/null || true
systemctl restart skerry-agent.socket
systemctl start skerry-agent.service
# as this or an earlier installation said
listens=$(systemctl show -p Listen --value skerry-agent.socket)
echo "The agent runs: $("$lib/node" "$lib/skerry-agent.cjs" version). Its page: http://${listens%% *}/"
[ -S /var/run/docker.sock ] || echo "There is no container engine yet: install Docker (Debian: apt-get install docker.io). The agent takes it when it comes."
if [ -e "$state/join.json" ]; then
  echo "The PIN of the page: skerry-agent pin.   What it says: journalctl -u skerry-agent"
else
  echo "It waits for its join file: run \"skerry join DEVICE\" where the cloud is administered, and put what it prints into $state/join.json"
fi
