// Package vm holds the tests that boot the real image in QEMU: what no test of a part can show. Run them with
// "make vm-test"; they are behind the build tag vm, because they take minutes.
//
// One image of the qemu board serves all of them. It is everyone's image plus the lab's agent, which kills services and
// fills disks from the inside.
package vm
