#!/bin/sh
# Installs the Skerry cloud on a server with systemd, from the kit that this script lies in. Run it again to upgrade.
#
#   sh install.sh [--advertise HOST] [--node PATH]
#   sh install.sh --remove
#
#   --advertise HOST  the name or address by which devices reach this server, on ports 8883 and 6443; asked for at the first installation
#   --node PATH       Node 24 or newer (default: the one on the PATH)
#   --remove          takes the program away; what it knows stays in /var/lib/skerry-cloud
set -eu

fail() {
  echo "install.sh: $1" >&2
  exit 1
}

here=$(cd "$(dirname "$0")" && pwd)
advertise='' node='' remove=''
while [ $# -gt 0 ]; do
  case "$1" in
    --advertise | --node)
      [ $# -ge 2 ] || fail "$1 needs a value; see the head of this file"
      case "$1" in
        --advertise) advertise=$2 ;;
        --node) node=$2 ;;
      esac
      shift 2
      ;;
    --remove) remove=yes && shift ;;
    -h | --help) sed -n '2,10s/^# \{0,1\}//p' "$0" && exit 0 ;;
    *) fail "there is no option $1; it is one of --advertise, --node, --remove" ;;
  esac
done

[ "$(id -u)" = 0 ] || fail "this must be run as root: sudo sh $0"
[ -d /run/systemd/system ] || fail "this machine does not run systemd; start it by hand: node skerry-cloud.mjs --help"

lib=/usr/lib/skerry-cloud
settings=/etc/default/skerry-cloud
data=/var/lib/skerry-cloud

if [ -n "$remove" ]; then
  systemctl disable --now skerry-cloud.service
  rm -rf /etc/systemd/system/skerry-cloud.service "$lib" /usr/bin/skerry
  systemctl daemon-reload
  echo "The cloud is removed; devices go on with what they have. What it knew is in $data."
  exit 0
fi

[ -n "$node" ] || node=$(command -v node) || fail "there is no Node: install Node 24 or newer, or name it with --node PATH"
[ -x "$node" ] || fail "--node $node is not a program"
version=$("$node" -p process.versions.node) || fail "$node does not start"
[ "${version%%.*}" -ge 24 ] || fail "$node is Node $version; the cloud needs Node 24 or newer (its store is Node's own SQLite): https://nodejs.org, or --node PATH"
case "$advertise" in
  *[!A-Za-z0-9.:_-]*) fail "--advertise $advertise must be a name or an address, without a scheme and a path" ;;
  '') [ -e "$settings" ] || fail "say how devices reach this server: --advertise cloud.example.com" ;;
esac

install -d -m 0755 "$lib"
for file in skerry-cloud.mjs skerry.mjs; do
  install -m 0644 "$here/$file" "$lib/$file.new"
  mv -f "$lib/$file.new" "$lib/$file"
done
for file in LICENSE THIRD-PARTY-LICENCES; do install -m 0644 "$here/$file" "$lib/$file"; done
rm -rf "$lib/console"
cp -r "$here/console" "$lib/console"
# not a link: the service may not look into homes, where a Node may lie
install -m 0755 "$node" "$lib/node.new"
mv -f "$lib/node.new" "$lib/node"
cat >/usr/bin/skerry <<END
#!/bin/sh
# as root on this server it speaks as the administrator, unless it is told otherwise
[ -n "\${KUBECONFIG:-}" ] || [ ! -r $data/kubeconfig ] || export KUBECONFIG=$data/kubeconfig
exec $lib/node $lib/skerry.mjs "\$@"
END
chmod 0755 /usr/bin/skerry
install -m 0644 "$here/skerry-cloud.service" /etc/systemd/system/skerry-cloud.service
if [ -n "$advertise" ]; then
  [ ! -e "$settings" ] || cp "$settings" "$settings.before"
  cat >"$settings" <<END
# Environment of the Skerry cloud; all names: $lib/node $lib/skerry-cloud.mjs --help. After a change: systemctl restart skerry-cloud
# devices come in over TLS, with a certificate of this cloud's own authority, which the join file names
SKERRY_MQTT=off
SKERRY_MQTTS=0.0.0.0:8883
SKERRY_ADVERTISE=mqtts://$advertise:8883
END
fi

systemctl daemon-reload
systemctl enable --quiet skerry-cloud.service
systemctl restart skerry-cloud.service
tries=0
until "$lib/node" -e 'fetch("http://127.0.0.1:8080/readyz").then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))'; do
  tries=$((tries + 1))
  [ $tries -lt 60 ] || fail "it does not become ready; why: journalctl -u skerry-cloud"
  sleep 1
done
cat <<END
The cloud runs. For kubectl and skerry, here as root:  export KUBECONFIG=$data/kubeconfig
The console is at http://127.0.0.1:8080/ (from elsewhere: https://, port 6443); its token: cat $data/admin-token
A device joins with:  skerry join DEVICE > join.json   (one file for many devices: skerry enroll > join.json)
END
