# SPDX-License-Identifier: GPL-2.0
# Sourced by lab, which sets what is not set here.
# shellcheck shell=bash disable=SC2034,SC2154
# Which Debian packages the images are made of, and where they are.
#
# An apt of its own (state, lists and archive below the cache) resolves and
# downloads them: no root is needed and the packages of the machine itself
# have no influence. The sources are those Debian 12 ones that the machine's
# apt is configured with.

# packages_file FLAVOUR: the resolved list, one "FILE URL SIZE HASH" per line.
# Flavours differ in the kernel only.
packages_file() {
	local recipe
	recipe=$(hash_of "$lab_dir/dom0/packages")
	echo "$cache/packages/bookworm-$recipe.list"
}

packages_apt() {
	APT_CONFIG=$cache/apt/apt.conf "$@"
}

packages_configure() {
	local uri release line
	mkdir -p "$cache/apt/lists/partial" "$cache/apt/archives/partial"
	: >"$cache/apt/status"
	: >"$cache/apt/sources.list"
	# shellcheck disable=SC2016
	while read -r uri release; do
		line="deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $release main"
		echo "$line" >>"$cache/apt/sources.list"
	done < <(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' |
		awk '$3 == "main" && $2 ~ /^bookworm(-updates|-security)?$/ \
			&& !seen[$0]++ { print $1, $2 }')
	if [ ! -s "$cache/apt/sources.list" ]; then
		die "apt on this machine has no Debian 12 (bookworm) source"
	fi
	cat >"$cache/apt/apt.conf" <<-EOF
		Dir::State "$cache/apt";
		Dir::State::lists "lists";
		Dir::State::status "$cache/apt/status";
		Dir::Cache "$cache/apt";
		Dir::Cache::archives "archives";
		Dir::Etc::sourcelist "$cache/apt/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "/dev/null";
		APT::Architecture "amd64";
		APT::Install-Recommends "false";
		APT::Sandbox::User "$(id -un)";
		Acquire::Retries "3";
	EOF
}

packages_wanted() {
	grep -v '^#' "$lab_dir/dom0/packages" | grep .
}

# packages_resolve FLAVOUR: write the list of exact versions to use from now on.
packages_resolve() {
	local list
	list=$(packages_file "$1")
	progress "resolving packages"
	packages_configure
	packages_apt apt-get -q update >&2
	mkdir -p "$cache/packages" "$cache/apt/none/partial"
	# apt does not print what it has downloaded, hence the empty archive.
	# shellcheck disable=SC2046
	packages_apt apt-get install -y -qq --print-uris \
		-o Dir::Cache::archives="$cache/apt/none" $(packages_wanted) |
		sed -n "s/^'\([^']*\)' \([^ ]*\) \([^ ]*\) \(.*\)$/\2 \1 \3 \4/p" |
		sort >"$list.$$"
	[ -s "$list.$$" ] || die "no packages resolved"
	mv "$list.$$" "$list"
}

packages_ensure_list() {
	[ -s "$(packages_file "$1")" ] || packages_resolve "$1"
}

# packages_kver FLAVOUR: the version of dom0's kernel.
packages_kver() {
	packages_ensure_list "$1"
	sed -n 's/^linux-image-\([0-9][^_]*\)_.*/\1/p' "$(packages_file "$1")"
}

packages_missing() {
	local name rest
	while read -r name rest; do
		[ -e "$cache/apt/archives/$name" ] || echo "$name"
	done <"$(packages_file "$1")"
}

# packages_fetch FLAVOUR: have every package of the list in the archive.
packages_fetch() {
	packages_ensure_list "$1"
	[ -n "$(packages_missing "$1")" ] || return 0
	progress "downloading packages"
	packages_configure
	[ -n "$(find "$cache/apt/lists" -name '*_Packages*' -print -quit)" ] ||
		packages_apt apt-get -q update >&2
	# shellcheck disable=SC2046
	packages_apt apt-get install -y -qq --download-only $(packages_wanted) >&2 || true
	if [ -n "$(packages_missing "$1")" ]; then
		progress "the archive has newer packages than the list: resolving again"
		packages_resolve "$1"
		# shellcheck disable=SC2046
		packages_apt apt-get install -y -qq --download-only $(packages_wanted) >&2
		[ -z "$(packages_missing "$1")" ] || die "packages are missing from the archive"
	fi
}

# packages_unpack FLAVOUR DIR: unpack all of them below DIR.
packages_unpack() {
	local name rest d
	local -a keep=()
	mkdir -p "$2"
	for d in bin sbin lib lib64; do
		mkdir -p "$2/usr/$d"
		ln -s "usr/$d" "$2/$d"
	done
	while read -r d; do
		case $d in "#"* | "") continue ;; esac
		keep+=("./lib/modules/*/kernel/$d")
	done <"$lab_dir/dom0/modules"
	while read -r name rest; do
		case $name in
		linux-image-[0-9]*)
			dpkg-deb --fsys-tarfile "$cache/apt/archives/$name" |
				tar -C "$2" -x --keep-directory-symlink --wildcards -f - \
					'./boot/*' './lib/modules/*/modules.*' "${keep[@]}"
			;;
		*)
			dpkg-deb --fsys-tarfile "$cache/apt/archives/$name" |
				tar -C "$2" -x --keep-directory-symlink -f - \
					--exclude='./usr/share/doc/*' \
					--exclude='./usr/share/man/*' \
					--exclude='./usr/share/locale/*' \
					--exclude='./usr/share/iso-codes/*' \
					--exclude='./usr/share/xml/*' \
					--exclude='./usr/share/bash-completion/*'
			;;
		esac
	done <"$(packages_file "$1")"
}
