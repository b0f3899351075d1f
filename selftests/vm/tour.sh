#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The tour of the README, to the letter, in a dom0 as Debian installs it. Its first
# line installs the packages, which takes a compiler: "tour.sh --prepare KERNEL" runs
# it in lab/chroot, where that is not emulated, before dom0 is booted with that kernel
# (6.1, 6.12). What the reader sees of the other lines is left as an asciicast.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=system-lib.sh
. "$(dirname "$0")/system-lib.sh"

CAST=/results/tour.cast
SHOWN=$TMP/shown
DIR=/srv/tour			# where the reader stands

# The lines of the README that the tour consists of.
tour()
{
	sed -n '/^<!-- the tour begins/,/^<!-- the tour ends/s/^\t//p' "$PAYLOAD/README.md"
}

# What a reader has: the packages, and a guest.
prepare()
{
	mkdir -p $DIR
	cp "$DEBS"/*.deb $DIR
	cat >$DIR/guest.cfg <<-END
	name = "guest"
	type = "hvm"
	memory = 512
	vcpus = 1
	kernel = "/usr/lib/guest/linux.elf"
	extra = "console=hvc0 quiet lab.modules=nvme xen_emul_unplug=never pci=noearly mitigations=off initcall_blacklist=i8042_init panic=0"
	device_model_args_hvm = [ "-machine", "xenfv-4.2" ]
	vga = "none"
	END
}

# The test guest obeys a machine; make it one that somebody uses.
log_in()
{
	local log=/run/lab/out/guest-guest.log tty script

	wait_for 120 grep -q lab:ready $log
	tty=$(xenstore-read "/local/domain/$(xl domid guest)/console/tty")
	timeout 1 cat "$tty"	# what it said before somebody looked
	script='rm /sbin/poweroff
	printf "#!/bin/sh\nexec busybox poweroff -f\n" >/sbin/poweroff
	chmod +x /sbin/poweroff
	stty sane </dev/hvc0
	export PS1="guest# "
	exec setsid sh -c "exec sh -i </dev/hvc0 >/dev/hvc0 2>&1"'
	printf '+%s\n!1\n' "$(base64 -w 0 <<<"$script")" >"$tty"
}

# shown REGEX
shown()
{
	grep -qE "$1" "$SHOWN" || fail "the tour does not show $1"
}

t_the_tour_runs()
{
	[ "$(tour | wc -l)" -ge 10 ]
	export -f log_in wait_for fail
	export PATIENCE
	cd $DIR
	tour | sed -e 1d -e '/^xl create/a+log_in' | "$PAYLOAD/vm/record.py" $CAST >"$SHOWN" || {
		cat "$SHOWN"
		return 1
	}
	tr -d '\r' <"$SHOWN" | sed 's/^/# /'
}

t_it_shows_what_it_should()
{
	dkms_has "$(version_of "$DEBS")" "$KVER"
	expect_eq "$(basename "$(modinfo -F filename xen-ioemu)" .xz)" xen-ioemu.ko "module"
	expect_eq "$(dirname "$(modinfo -F filename xen-ioemu)")" \
		"/lib/modules/$KVER/updates/dkms" "directory of the module"
	expect_eq "$(loaded_version)" "$(version_of "$DEBS")" "version that is loaded"
	shown '^ok +module +loaded'
	# Debian's default; nothing else is to be said of its dom0.
	shown '^warning +shutdown +guests are saved to '
	! grep -E '^(error|warning) ' "$SHOWN" | grep -v '^warning  *shutdown' || return 1
	shown ' 1048576 nvme0n1'		# in the guest
	shown '^ +[0-9]+ guest +0 nvme +[0-9]+ +Connected'
	shown '^ +disk 0: .*mode w'
	shown '^ +[0-9]+ guest +0 +0 +[1-9][0-9]* .* [1-9][0-9]* +[0-9]+.?$'	# reads, exits in a second
	shown '^  commands +[1-9]'
	shown '^  reads +[1-9]'
}

t_nothing_is_left()
{
	domain_gone guest
	wait_for_no 20 nodes
	! losetup -a | grep /srv/guest.img || return 1
	expect_no_leaks
	rm -r $DIR /srv/guest.img
}

nodes()
{
	xenstore-ls -f | grep "ioemu/"
}

if [ "${1-}" = --prepare ]; then
	set -e
	# DKMS cannot know which kernel will run, and takes all.
	for kver in $(cd /lib/modules && echo *); do
		case $kver in
		"$2".*)	;;
		*)	rm -rf /boot/*-"$kver" "/lib/modules/$kver" ;;
		esac
	done
	prepare
	cd $DIR
	eval "$(tour | head -n 1)"
	exit
fi
run_tests
rc=$?
xl destroy guest 2>/dev/null
exit $rc
