#!/bin/sh
# Makes the captures of real traffic: dumpcap's pcapng of the loopback device, and the same conversation
# in the formats that editcap writes. It needs wireshark's tools, the mariadb client, a server at
# $LAB_MARIADB_ADDR, and the right to capture. Usage: . lab.env; sh make.sh
set -eu
cd "$(dirname "$0")"
port=${LAB_MARIADB_ADDR##*:}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
dumpcap -q -i lo -f "tcp port $port" -w "$tmp/all.pcapng" &
capturing=$!
until [ -s "$tmp/all.pcapng" ]; do :; done
mariadb --no-defaults -h 127.0.0.1 -P "$port" -u"$LAB_ADMIN_USER" -p"$LAB_ADMIN_PASSWORD" --skip-ssl "$LAB_DATABASE" -f -e "
SELECT 'fixture'; SELECT 1 UNION SELECT 2; SELECT nope; SET @a = 1; USE mysql; SELECT DATABASE()" >/dev/null 2>&1 || true
mariadb --no-defaults -h 127.0.0.1 -P "$port" -u"$LAB_ADMIN_USER" -p"$LAB_ADMIN_PASSWORD" --compress --skip-ssl "$LAB_DATABASE" -e "SELECT 'packed fixture', REPEAT('x', 200)" >/dev/null
mariadb --no-defaults -h 127.0.0.1 -P "$port" -u"$LAB_ADMIN_USER" -p"$LAB_ADMIN_PASSWORD" --ssl --disable-ssl-verify-server-cert "$LAB_DATABASE" -e "SELECT 'secret fixture'" >/dev/null
last=$(mariadb --no-defaults -h 127.0.0.1 -P "$port" -u"$LAB_ADMIN_USER" -p"$LAB_ADMIN_PASSWORD" --skip-ssl -N -e "SELECT CONNECTION_ID()")
sleep 2 # for the kernel's buffer to reach dumpcap
kill -INT $capturing
wait $capturing || true
# The three connections before the last one, by the thread that greeted them.
ports=$(tshark -r "$tmp/all.pcapng" -d "tcp.port==$port,mysql" -Y "mysql.thread_id >= $((last - 3)) and mysql.thread_id < $last" -T fields -e tcp.dstport | sort -u)
filter=$(for p in $ports; do printf 'tcp.port==%s or ' "$p"; done)
tshark -r "$tmp/all.pcapng" -Y "${filter% or }" -w dumpcap.pcapng
editcap -F pcap dumpcap.pcapng editcap.pcap
editcap -F nsecpcap dumpcap.pcapng editcap-ns.pcap
gzip -9nc dumpcap.pcapng > dumpcap.pcapng.gz
