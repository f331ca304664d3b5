package peerlink

import (
	"math"
	"slices"
	"time"
)

// Sample is one exchange of the time with another device, as in NTP (RFC 5905, section 8): a question and its answer, each by
// the clock of whoever sends and receives it.
type Sample struct {
	Sent, Answered    time.Duration // by our clock: when the question left, when its answer came
	Received, Replied time.Duration // by theirs
}

// delay is how long the two ways took together.
func (s Sample) delay() time.Duration { return s.Answered - s.Sent - (s.Replied - s.Received) }

// offset is how far their clock is ahead of ours, if both ways took equally long. It is wrong by half the delay at most.
func (s Sample) offset() time.Duration {
	return (s.Received - s.Sent + s.Replied - s.Answered) / 2
}

// Offset is how far another device's clock is ahead of ours, and how fast it gains: a line through the samples of the last
// while, in which one counts the more the less it was delayed. What the network adds to the least delay may have been added
// on one way alone, so a sample is trusted to half of that. It is of one goroutine at a time; the zero value knows nothing.
type Offset struct {
	samples []point
	middle  time.Duration // of the samples' times, by our clock
	offset  float64       // in seconds, there
	rate    float64       // seconds gained per second
}

// point is a sample as the line sees it.
type point struct {
	at     time.Duration // by our clock
	offset time.Duration
	delay  time.Duration
}

const (
	maxSamples = 512
	maxAge     = 2 * time.Minute
	// finest is how well a sample is trusted that was not delayed at all, in seconds: programs wait for processors.
	finest = 100e-6
	// usual is how much the crystals of two devices differ, as a standard deviation.
	usual = 100e-6
	// most is how much they can differ.
	most = 500e-6
)

// Add takes in a sample. One that cannot be, unless a clock was set or stood still, begins anew; one that makes no sense is
// passed over.
func (o *Offset) Add(s Sample) {
	if s.delay() < 0 || s.Answered < s.Sent || s.Replied < s.Received {
		return
	}
	p := point{s.Sent + (s.Answered-s.Sent)/2, s.offset(), s.delay()}
	if n := len(o.samples); n > 0 {
		last := o.samples[n-1]
		apart := (p.offset - last.offset).Abs() - (p.delay+last.delay)/2 // that delays do not explain
		if p.at < last.at || apart > time.Duration(2*most*float64(p.at-last.at))+time.Millisecond {
			o.samples = nil
		}
	}
	o.samples = append(o.samples, p)
	for len(o.samples) > maxSamples || o.samples[0].at < p.at-maxAge {
		o.samples = o.samples[1:]
	}
	o.fit()
}

// Known reports whether there is a sample at all, and Samples how many the line goes through.
func (o *Offset) Known() bool  { return len(o.samples) > 0 }
func (o *Offset) Samples() int { return len(o.samples) }

// Theirs returns what their clock says when ours says that.
func (o *Offset) Theirs(ours time.Duration) time.Duration {
	return ours + time.Duration((o.offset+(ours-o.middle).Seconds()*o.rate)*float64(time.Second))
}

// Ours returns what our clock says when theirs says that.
func (o *Offset) Ours(theirs time.Duration) time.Duration {
	atMiddle := theirs - o.middle - time.Duration(o.offset*float64(time.Second)) // as if the clocks ran equally fast
	return o.middle + time.Duration(float64(atMiddle)/(1+o.rate))
}

// fewQuick are the least delayed samples that say how near the quickest of all is to no added delay.
const fewQuick = 5

// quickest returns the least delay, and how much more the next few had: the least of all has hardly less added to it.
func (o *Offset) quickest() (least, grain time.Duration) {
	var quick []time.Duration // sorted
	for _, p := range o.samples {
		at, _ := slices.BinarySearch(quick, p.delay)
		if at < fewQuick {
			quick = slices.Insert(quick, at, p.delay)
			quick = quick[:min(len(quick), fewQuick)]
		}
	}
	return quick[0], quick[len(quick)-1] - quick[0]
}

// fit lays the line: weighted least squares, with the usual difference of crystals as what is known beforehand.
func (o *Offset) fit() {
	least, grain := o.quickest()
	base, first := o.samples[0].at, o.samples[0].offset // small numbers keep their digits
	var sum, sumT, sumY float64
	weights := make([]float64, len(o.samples))
	for i, p := range o.samples {
		sigma := finest + (grain+p.delay-least).Seconds()/2
		weights[i] = 1 / (sigma * sigma)
		sum += weights[i]
		sumT += weights[i] * (p.at - base).Seconds()
		sumY += weights[i] * (p.offset - first).Seconds()
	}
	meanT, meanY := sumT/sum, sumY/sum
	var tt, ty float64
	for i, p := range o.samples {
		t, y := (p.at-base).Seconds()-meanT, (p.offset-first).Seconds()-meanY
		tt += weights[i] * t * t
		ty += weights[i] * t * y
	}
	o.rate = math.Max(-most, math.Min(most, ty/(tt+1/(usual*usual))))
	o.middle = base + time.Duration(meanT*float64(time.Second))
	o.offset = first.Seconds() + meanY
}
