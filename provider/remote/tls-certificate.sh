#!/usr/bin/env bash
# Makes the model server a certificate of its own, whose key never leaves the host; one that is good still is kept.
# Usage: tls-certificate.sh FOLDER ADDRESS      prints the certificate, PEM
set -euo pipefail
folder=$1 address=$2
key=$folder/tls-key.pem certificate=$folder/tls-certificate.pem
kind=DNS
case $address in
  *:* | *[0-9].[0-9]*) if [[ $address =~ ^[0-9a-fA-F:.]+$ ]]; then kind=IP; fi ;;
esac
names="subjectAltName=$kind:$address,IP:127.0.0.1,DNS:localhost"
good() {
  [ -s "$key" ] && [ "$(cat "$folder/tls-names" 2>/dev/null)" = "$names" ] &&
    openssl x509 -in "$certificate" -noout -checkend $((30 * 86400)) >/dev/null 2>&1
}
if ! command -v openssl >/dev/null; then
  echo "openssl is not there to make a certificate: install it, or give berth:tlsCertificate and berth:tlsKey" >&2
  exit 1
fi
mkdir -p "$folder"
if ! good; then
  umask 077
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -days 825 -subj "/CN=berth model server" \
    -addext "$names" -keyout "$key.new" -out "$certificate.new" 2>/dev/null
  mv -f "$key.new" "$key"
  mv -f "$certificate.new" "$certificate"
  printf '%s\n' "$names" >"$folder/tls-names"
fi
cat "$certificate"
