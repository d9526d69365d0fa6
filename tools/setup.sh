#!/usr/bin/env bash
# Installs what building, testing and speaking need on Debian 12, and nothing that is there already.
set -euo pipefail

# The pages are built by Vite 8. Debian 12 has node 18, so that it cannot be had from there.
node=$(node --version 2>/dev/null || true)
npm --version >/dev/null 2>&1 || node=
if [ "$(printf '%s\n' v20.19.0 "${node:-v0}" | sort --version-sort | head -n 1)" != v20.19.0 ]; then
    echo "set-up: node 20.19 or newer with npm is needed to build the pages in web/, and ${node:-none} is here: install it from nodejs.org" >&2
    exit 1
fi

packages=(build-essential pkg-config cmake sip-tester baresip-core linphone-cli kamailio kamailio-tls-modules openssl espeak-ng sox sqlite3 postgresql procps python3 python3-venv curl chromium)
missing=()
for package in "${packages[@]}"; do
    dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
    exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "set-up: ${missing[*]} are missing, and neither root nor sudo is here: install them by hand" >&2; exit 1; }
    as_root=(sudo)
fi
# The tests start a kamailio and a PostgreSQL of their own. PostgreSQL's service is in nobody's way; kamailio's would take port 5060 of
# every address.
if [ -d /run/systemd/system ] && ! dpkg-query --show kamailio >/dev/null 2>&1; then
    "${as_root[@]}" systemctl mask --quiet kamailio.service
fi
echo "set-up: installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
