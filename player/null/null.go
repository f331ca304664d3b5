// Package null has outputs that nobody sees or hears: a display and a sound card for tests, which keep what they were
// given and when it would have been seen or heard, and for a computer that is to stay dark and silent. They keep time
// like real ones. A card may run fast or slow, move by periods, take some rates only, run dry, or vanish; a screen may
// have vertical blanks or none, and may vanish or be another one when it returns.
//
// They are the fakes of kms and alsa; the suites of [manofwar/player/playertest] hold all of them to one behaviour.
package null
