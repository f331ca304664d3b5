package upnpav

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// FormatTime writes a time as AVTransport:1, section 2.2.13 and ContentDirectory:1, appendix B.2.1.4 have it.
func FormatTime(d time.Duration) string {
	ms := max(0, d.Milliseconds())
	s := strconv.FormatInt(ms/3600000, 10) + ":"
	for _, n := range []int64{ms / 60000 % 60, ms / 1000 % 60} {
		s += string([]byte{byte('0' + n/10), byte('0' + n%10), ':'})
	}
	return strings.TrimSuffix(s, ":") + "." + string([]byte{byte('0' + ms/100%10), byte('0' + ms/10%10), byte('0' + ms%10)})
}

var errTime = errors.New("not a time")

// ParseTime reads one: hours, minutes, seconds, and a fraction in decimals or as "1/3". It may have a sign.
func ParseTime(s string) (time.Duration, error) {
	s = strings.TrimPrefix(strings.TrimSpace(s), "+")
	parts := strings.Split(s, ":")
	if len(parts) != 3 {
		return 0, errTime
	}
	whole, fraction, _ := strings.Cut(parts[2], ".")
	h, err1 := strconv.ParseUint(parts[0], 10, 16)
	m, err2 := strconv.ParseUint(parts[1], 10, 8)
	sec, err3 := strconv.ParseUint(whole, 10, 8)
	if err1 != nil || err2 != nil || err3 != nil || m > 59 || sec > 59 {
		return 0, errTime
	}
	d := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(sec)*time.Second
	if n, of, ok := strings.Cut(fraction, "/"); ok {
		a, err1 := strconv.ParseUint(n, 10, 16)
		b, err2 := strconv.ParseUint(of, 10, 16)
		if err1 != nil || err2 != nil || a >= b {
			return 0, errTime
		}
		return d + time.Duration(a)*time.Second/time.Duration(b), nil
	}
	if fraction != "" {
		if strings.Trim(fraction, "0123456789") != "" || len(fraction) > 9 {
			return 0, errTime
		}
		f, err := strconv.ParseFloat("0."+fraction, 64)
		if err != nil {
			return 0, errTime
		}
		d += time.Duration(f * float64(time.Second))
	}
	return d, nil
}
