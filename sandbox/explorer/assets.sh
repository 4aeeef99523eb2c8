#!/usr/bin/env bash
# `bash sandbox/explorer/assets.sh` downloads fixed versions of the assets of the explorer page from the npm registry, and
# compresses each asset with gzip. The licences are in the same directory as the assets.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

# take PACKAGE@VERSION FILE NAME writes FILE of the package as assets/NAME.gz.
take() {
	local package="${1%@*}" folder="$scratch/${1//[@\/]/_}"
	if [[ ! -d "$folder" ]]; then
		mkdir "$folder"
		tar -xzf "$scratch/$(npm pack --silent --pack-destination "$scratch" "$1")" -C "$folder" --strip-components 1
		cp "$folder/LICENSE" "assets/LICENSE.$package"
	fi
	gzip -n -9 -c "$folder/$2" >"assets/$3.gz"
}

take react@18.3.1 umd/react.production.min.js react.js
take react-dom@18.3.1 umd/react-dom.production.min.js react-dom.js
take graphiql@3.8.3 graphiql.min.js graphiql.js
take graphiql@3.8.3 graphiql.min.css graphiql.css
