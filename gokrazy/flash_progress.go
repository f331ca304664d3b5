package gokrazy

import "time"

// meter reports progress at most every quarter of a second.
type meter struct {
	o           *FlashOptions
	p           FlashProgress
	start, last time.Time
}

func (o *FlashOptions) meter(phase string, total int64) *meter {
	now := o.now()
	return &meter{o: o, p: FlashProgress{Phase: phase, Total: total}, start: now, last: now}
}

func (m *meter) add(n int) {
	m.p.Done += int64(n)
	if now := m.o.now(); now.Sub(m.last) >= 250*time.Millisecond {
		m.last = now
		m.report()
	}
}

func (m *meter) end() {
	m.p.Done = m.p.Total
	m.report()
}

func (m *meter) report() {
	p := m.p
	if elapsed := m.o.now().Sub(m.start).Seconds(); elapsed > 0 && p.Done > 0 {
		p.Rate = float64(p.Done) / elapsed
		p.Left = time.Duration(float64(p.Total-p.Done) / p.Rate * float64(time.Second))
	}
	m.o.Progress(p)
}
