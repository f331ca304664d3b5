// Package kms shows pictures on a television through the kernel's mode setting (DRM/KMS), without a window system and
// without C: it is the [manofwar/player.Display] of the dongle.
//
// A [Display] finds the card that has connectors, drives the first connected screen, and follows screens and cards as they
// come and go. How a picture gets onto the screen depends on what the hardware says that it can do, which is asked by
// commits that only test:
//
//   - Where planes take YUV and scale, a frame goes to a plane as the decoder made it, and what lies over it to a plane
//     with alpha above: nothing is copied.
//   - Where there is only a plane of RGB, a frame as large as the screen is shown as it is; a smaller one is copied
//     between black bars. What lies over it is blended into it, and the pixels that it covers are kept, so that it can
//     change while the picture stands still.
//
// It leaves out what needs a graphics processor, rotation, HDR metadata, more than one screen at a time, and sound. It is
// for Linux.
package kms
