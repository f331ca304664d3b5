package networkmanager

import (
	"reflect"
	"testing"

	nm "github.com/Wifx/gonetworkmanager/v2"
	"github.com/godbus/dbus/v5"
)

// TestMirrorTypes gives properties of every type but the documented one: what was known stays.
func TestMirrorTypes(t *testing.T) {
	odd := []any{
		true, byte(1), int16(-1), int32(-1), int64(-1), uint64(1), 1.5, "", "text",
		[]string{"a"},
		[]any{uint32(1)},
		[]any{"a", "b"},
		[]any{int32(100), int32(7)},
		[]any{uint32(1), uint32(2), uint32(3)},
		dbus.Signature{},
		map[string]dbus.Variant{"a": variant("b")},
		[][]byte{{1}},
	}
	for of, names := range map[string][]string{
		nm.DeviceInterface:         {"DeviceType", "ActiveConnection", "InterfaceFlags", "StateReason"},
		nm.DeviceWirelessInterface: {"ActiveAccessPoint", "AccessPoints", "WirelessCapabilities"},
		nm.AccessPointInterface:    {"Ssid", "Frequency"},
	} {
		path := wlan0
		if of == nm.AccessPointInterface {
			path = home
		}
		for _, name := range names {
			for _, value := range odd {
				b := newBench(t)
				before, point := *b.devices[wlan0], *b.points[home]
				b.set(path, of, map[string]dbus.Variant{name: variant(value)})
				if !reflect.DeepEqual(before, *b.devices[wlan0]) || point != *b.points[home] {
					t.Errorf("%s of type %T was taken", name, value)
				}
			}
		}
	}
	b := newBench(t)
	b.set("/Devices/9", nm.DeviceWirelessInterface, map[string]dbus.Variant{"WirelessCapabilities": variant(uint32(1))})
	b.set("/Devices/8", nm.DeviceInterface, map[string]dbus.Variant{"DeviceType": variant(uint32(nm.NmDeviceTypeEthernet))})
	b.set("/x", "org.example.Other", map[string]dbus.Variant{"Version": {}})
	b.remove("/nowhere", []string{nm.DeviceInterface, nm.AccessPointInterface, "org.example.Other"})
	if len(b.devices) != 1 {
		t.Errorf("%d devices", len(b.devices))
	}
}

// TestMirrorOrder makes a device of its parts in whatever order they are told.
func TestMirrorOrder(t *testing.T) {
	m := newMirror()
	m.add(wlan0, interfaces{
		nm.DeviceWirelessInterface: {"WirelessCapabilities": variant(uint32(canBeAccessPoint))},
		nm.DeviceInterface:         {"DeviceType": variant(uint32(nm.NmDeviceTypeWifi)), "Interface": variant("wlan0")},
	})
	if d := m.devices[wlan0]; d == nil || d.can != canBeAccessPoint || d.name != "wlan0" {
		t.Errorf("%+v", d)
	}
	m.remove(wlan0, []string{nm.DeviceWirelessInterface})
	if len(m.devices) != 0 {
		t.Error("it is still there")
	}
}
