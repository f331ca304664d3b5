package station

import "testing"

// TestAnotherSignal tells a signal that has changed, and neither noise nor that the driver does not know it.
func TestAnotherSignal(t *testing.T) {
	a := &attempt{}
	for i, tt := range []struct {
		signal int
		told   bool
	}{{0, false}, {-50, true}, {-50, false}, {-52, false}, {-48, false}, {0, false}, {-53, true}, {-51, false}, {-50, true}, {-80, true}} {
		if got := a.another(tt.signal); got != tt.told {
			t.Errorf("%d: %d dBm is told: %v, want %v", i, tt.signal, got, tt.told)
		}
	}
}
