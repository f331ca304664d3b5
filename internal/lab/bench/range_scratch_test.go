package bench

import "testing"

func TestScratch(t *testing.T) {
	for name, f := range map[string]func() (float64, float64, error){
		"one":  func() (float64, float64, error) { return Range(t.Context(), "/tmp/portal-bench") },
		"many": func() (float64, float64, error) { return RangeMany(t.Context(), "/tmp/portal-bench") },
	} {
		a, b, err := f()
		t.Log(name, a, b, a/b, err)
	}
}
