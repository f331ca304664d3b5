package wifi

import (
	"testing"

	"manofwar/netmgr"
)

// TestPlanForRadioGone forgets what a radio should do that was pulled out meanwhile: when it is back it begins anew, and does not make
// an access point that another one has taken over.
func TestPlanForRadioGone(t *testing.T) {
	b := New(Options{})
	b.radios[1] = &radio{wake: make(chan struct{}, 1)}
	plans := []netmgr.RadioPlan{{Phy: 0, AccessPoint: netmgr.AccessPointPlan{Up: true}}, {Phy: 1}}
	if err := b.CarryOut(t.Context(), plans, func(string) (string, bool) { return "", false }); err != nil {
		t.Fatal(err)
	}
	if _, ok := b.planned(0); ok {
		t.Error("a radio that has gone has a plan")
	}
	if _, ok := b.planned(1); !ok || len(b.radios[1].wake) != 1 {
		t.Error("a radio that is there has none, or was not told")
	}
}
