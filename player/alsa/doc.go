// Package alsa plays sound on the kernel's sound cards: [player.Sound] on ALSA, by system calls alone.
//
// A card is opened as a PCM device (/dev/snd/pcmC0D0p), told a form by negotiation (HW_REFINE: the driver narrows ranges
// of rates, formats, channels and buffers until one is left), and fed by writes that wait for room. What it has played is
// known from its status: the samples that left it, and the CLOCK_MONOTONIC time at which that was so.
//
// What the card wants differently from what the player writes is done here: the order of channels, samples of three
// bytes, and the subframes of IEC 60958 that HDMI on a Raspberry Pi takes instead of samples (package iec958). Rates are
// not converted: [Sound.Configure] says what the card takes, and whoever decodes makes that.
//
// Structures and numbers are those of include/uapi/sound/asound.h as 64-bit little-endian machines have them. It leaves
// out capture, memory-mapped transfer, MIDI, and everything that alsa-lib does by configuration files.
package alsa
