// Package v4l2 decodes pictures by a hardware codec that the kernel offers, into memory that the display shows without a copy.
//
// It drives stateful memory-to-memory decoders (Linux, Documentation/userspace-api/media/v4l/dev-decoder.rst): compressed
// pictures go into one queue, and decoded ones come out of another, in memory that is exported as a dma-buf and imported
// by the display ([player.Importer]). What a driver can do is asked, not known: [Decoder.Open] looks for one that takes the
// codec, its profile and the size, and makes something that the screen takes as it is. Where there is none it says so by
// [errors.ErrUnsupported], and somebody else has to decode; when the hardware fails later, the error is
// [player.ErrHardware].
//
// One film has the hardware at a time. A codec that somebody is done with, such as before a seek, is passed on to whoever
// comes next with its buffers, as long as pictures of it are on the screen.
//
// It leaves out stateless codecs, which want the program to parse the stream, encoders, pictures of more than 8 bits, and
// what needs another memory than the driver's own. It speaks to the kernel by ioctls and is for Linux.
package v4l2
