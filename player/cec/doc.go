// Package cec is the wire between the television's remote control and the player: HDMI-CEC, by the kernel's adapters
// (/dev/cec0 and on). The television's keys come out of it; it turns the television on and switches it over when something
// is played, and off if the owner wants that.
//
// A television has one input on its screen, and whoever sits before it chose it. So we say that we are the active source
// only when we were asked: by [Remote.WakeTV], or by the television itself. A plug that is put in, an adapter that
// appears, or a restart of ours says nothing.
//
// Messages are those of CEC 1.4 (HDMI 1.4b, supplement 1), structures and numbers those of include/uapi/linux/cec.h. The
// kernel claims our logical address and answers for our name, physical address, version and vendor by itself. It leaves
// out system audio, tuners, timers, and what only vendors know.
package cec
