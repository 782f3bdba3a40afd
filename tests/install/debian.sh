#!/bin/sh
# The Debian packages in the folder DEBS: what they hold, and that they stand beside libivykis-dev. Nothing is installed into
# this machine: they are unpacked below SCRATCH, by dpkg itself where it is root that runs this.
#   debian.sh holds DEBS VERSION | debian.sh stands_beside_ivykis DEBS SCRATCH CC CONSUMERS
set -eu

fail() { echo "$*" >&2; exit 1; }
skip() { echo "SKIPPED: $*"; exit 77; }
files_of() { dpkg-deb --fsys-tarfile "$1" | tar -t | grep -v '/$' | sed 's,^\.,,'; }
field() { dpkg-deb --field "$1" "$2"; }

holds() { # holds PACKAGE PATTERN...: each pattern is one of its files
    deb=$(echo "$debs/${1}_"*.deb)
    shift
    for pattern; do
        files_of "$deb" | grep -qx "$pattern" || fail "$deb has no file $pattern"
    done
}

check_contents() {
    version=$1
    lib='/usr/lib/\([a-z0-9_]*-linux-gnu[a-z0-9]*/\)\?'
    major=${version%%.*}
    holds "libsigev$major" "${lib}libsigev.so.$major" "${lib}libsigev-iv.so.$major" "${lib}libsigev.so.$version" "${lib}libsigev-posix.so"
    holds libsigev-dev "${lib}libsigev.so" "${lib}libsigev-iv.so" "${lib}cmake/sigev/sigevConfig.cmake" \
        "${lib}pkgconfig/sigev.pc" "${lib}pkgconfig/sigev-iv.pc" /usr/include/sigev.h /usr/include/sigev/timer.hpp \
        /usr/include/sigev/ivykis/iv.h /usr/share/man/man7/sigev.7.gz /usr/share/man/man3/sigev_open.3.gz \
        /usr/share/man/man3/sigev_submit.3.gz /usr/share/man/man3/iv_event_raw.3sigev.gz
    holds sigev /usr/bin/sigev /usr/share/man/man1/sigev.1.gz
    for deb in "$debs"/*.deb; do
        package=$(field "$deb" Package)
        holds "$package" "/usr/share/doc/$package/copyright" "/usr/share/doc/$package/changelog.Debian.gz"
        files_of "$deb" | grep -v '^/usr/' && fail "$package has files outside of /usr" || true
        # each link leads to a file of one of the packages
        dpkg-deb --fsys-tarfile "$deb" | tar -tv | sed -n 's,^l.* \./\(.*\)/[^/]* -> \(.*\),/\1/\2,p' | while read -r target; do
            for other in "$debs"/*.deb; do files_of "$other"; done | grep -qxF "$target" || fail "a link of $package leads to $target"
        done
    done
    library=$(echo "$debs/libsigev${major}_"*.deb)
    for needed in 'libc6 (>= ' 'libstdc++6 (>= '; do
        case $(field "$library" Depends) in *"$needed"*) ;; *) fail "libsigev$major does not depend on $needed" ;; esac
    done
    exact="libsigev$major (= $(field "$library" Version))"
    for package in libsigev-dev sigev; do
        case $(field "$debs/$package"_*.deb Depends) in *"$exact"*) ;; *) fail "$package does not depend on $exact" ;; esac
    done
    case $(field "$debs"/libsigev-dev_*.deb Depends) in *boost*) fail "libsigev-dev makes a C program have Boost" ;; esac
    dpkg-deb --ctrl-tarfile "$library" | tar -xO ./triggers | grep -qx 'activate-noawait ldconfig' || fail "no trigger for ldconfig"
    dpkg-deb --ctrl-tarfile "$library" | tar -xO ./shlibs | grep -q "^libsigev $major libsigev$major (>= " || fail "no shlibs"
}

# The installed libivykis-dev as a package once more, so that dpkg can be asked about it.
ivykis_deb() {
    mkdir -p "$1/DEBIAN"
    dpkg -L libivykis-dev | while read -r path; do
        [ -d "$path" ] && [ ! -L "$path" ] || echo "${path#/}"
    done | tar -C / -c -T - | tar -C "$1" -x
    printf 'Package: libivykis-dev\nVersion: 0\nArchitecture: all\nMaintainer: nobody\nDescription: as it is installed here\n' \
        >"$1/DEBIAN/control"
    dpkg-deb --build --root-owner-group "$1" "$1.deb" >/dev/null
}

stands_beside_ivykis() {
    scratch=$1 cc=$2 consumers=$3
    dpkg -s libivykis-dev >/dev/null 2>&1 || skip "libivykis-dev is not installed"
    rm -rf "$scratch"
    root=$scratch/root
    mkdir -p "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates" "$root/var/lib/dpkg/triggers"
    : >"$root/var/lib/dpkg/status"
    ivykis_deb "$scratch/ivykis"
    if [ "$(id -u)" = 0 ]; then
        # dpkg refuses what would overwrite another package's file
        dpkg --root="$root" --force-depends --unpack "$scratch/ivykis.deb" "$debs"/*.deb >"$scratch/dpkg.log" 2>&1 ||
            { cat "$scratch/dpkg.log"; fail "dpkg does not unpack them beside each other"; }
    else
        files_of "$scratch/ivykis.deb" | sort >"$scratch/theirs"
        for deb in "$debs"/*.deb; do files_of "$deb"; done | sort | comm -12 - "$scratch/theirs" >"$scratch/both"
        [ ! -s "$scratch/both" ] || fail "in both: $(cat "$scratch/both")"
        for deb in "$scratch/ivykis.deb" "$debs"/*.deb; do dpkg-deb -x "$deb" "$root"; done
    fi

    # One source, the headers of either, each with its library.
    pc=$(dirname "$(find "$root" -name sigev-iv.pc)")
    libraries=$(dirname "$(find "$root" -name 'libsigev.so.?')")
    flags=$(PKG_CONFIG_LIBDIR=$pc pkg-config --define-variable=prefix="$root/usr" --cflags --libs sigev-iv)
    eval "$cc $flags $consumers/consumer_iv.c -o $scratch/ours $flags"
    $cc -I"$root/usr/include" "$consumers/consumer_iv.c" -o "$scratch/theirs" -livykis
    flags=$(PKG_CONFIG_LIBDIR=$pc pkg-config --define-variable=prefix="$root/usr" --cflags --libs sigev)
    eval "$cc $flags $consumers/consumer.c -o $scratch/c $flags"
    readelf -d "$scratch/ours" | grep -q 'NEEDED.*libsigev-iv' || fail "the program for libsigev-iv is linked with something else"
    readelf -d "$scratch/theirs" | grep -q 'NEEDED.*libivykis' || fail "the program for libivykis is linked with something else"
    for program in ours theirs c; do
        [ "$(LD_LIBRARY_PATH=$libraries "$scratch/$program")" = "three ticks" ] || fail "$program does not run"
    done
    LD_LIBRARY_PATH=$libraries "$root/usr/bin/sigev" --version
}

command=$1 debs=$2
shift 2
case $command in
holds) check_contents "$@" ;;
stands_beside_ivykis) stands_beside_ivykis "$@" ;;
esac
