// Package rootfs makes the root file system of the dongle: what is in it, where that comes from, and its bytes.
//
// [Prepare] gets what is not ours: the codec engine (ffmpeg) and the ext4 tools, built from Debian's sources, and
// certificate authorities, time zones and WiFi firmware from its packages. The scripts in build/ do that and can be
// called by hand: "build/ffmpeg.sh arm64" prints the directory with the result. The versions are in build/versions;
// results lie in $MANOFWAR_CACHE, by default manofwar in the user's cache directory, under a hash of recipe and
// versions. [Build] lays all of it out as a [Tree] by the tables in root.go; the caller adds what is particular to an
// image. [WriteSquashFS] writes the root, [WriteInitramfs] the archive for the boot's first phase ([Initramfs]).
// build/sources.sh writes the corresponding source, which has to be offered with an image.
//
// It leaves out what decides an image: the kernel and its modules, boot files, services, partitions and signatures are
// in package gokrazy; what a board is, in package board.
//
// # Decisions
//
// The squashfs is uncompressed. Images and updates are compressed instead: after the edit of one program a delta
// between two uncompressed file systems has a twentieth of the size of one between compressed ones, and reading from a
// card costs no CPU time. Its writer is our own, 300 lines from the kernel's header: the library at hand
// (go-diskfs) takes owners and modes from a directory of the build machine and stamps the current time.
//
// Time zones are Debian's files (480 kB with the older names that browsers still report), not the one archive that Go
// can read (400 kB): any program finds them, and an owner may add programs that are not in Go.
//
// The codec engine is linked statically, with address randomisation and stack protection: it reads what anyone may have put
// on a disk. What it reads and writes is listed in build/ffmpeg.sh.
package rootfs
