// Package vm holds the tests that boot the real image in QEMU: what no test of a part can show. Run them with
// "make vm-test"; they are behind the build tag vm, because they take minutes.
//
// One image of the qemu board serves most of them: everyone's image plus the lab's agent, which kills services and fills
// disks from the inside. What is about networks boots the image of qemu-amd64 among radios, routers and phones, in which
// the image itself has nothing of the lab. What is on a screen is compared with testdata; -update keeps what is there, for a
// person to look at.
package vm
