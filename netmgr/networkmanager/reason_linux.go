package networkmanager

import (
	"errors"
	"fmt"

	nm "github.com/Wifx/gonetworkmanager/v2"
	"github.com/godbus/dbus/v5"

	"manofwar/netmgr"
)

// failure returns why a network could not be joined, or was left, from the reason of a device's state. With joined it had
// been joined.
func failure(reason nm.NmDeviceStateReason, joined bool) netmgr.Failure {
	switch reason {
	case nm.NmDeviceStateReasonNoSecrets:
		return netmgr.WrongPassword // it had one, and was told that it is not the one
	case nm.NmDeviceStateReasonSsidNotFound:
		if joined {
			return netmgr.Lost
		}
		return netmgr.NotFound
	case nm.NmDeviceStateReasonSupplicantDisconnect:
		if joined {
			return netmgr.Lost
		}
		return netmgr.Refused
	case nm.NmDeviceStateReasonSupplicantTimeout,
		nm.NmDeviceStateReasonIpConfigUnavailable, nm.NmDeviceStateReasonIpConfigExpired,
		nm.NmDeviceStateReasonDhcpStartFailed, nm.NmDeviceStateReasonDhcpError, nm.NmDeviceStateReasonDhcpFailed:
		return netmgr.NoAnswer
	case nm.NmDeviceStateReasonSupplicantConfigFailed:
		return netmgr.Unsupported
	case nm.NmDeviceStateReasonConfigFailed, nm.NmDeviceStateReasonSupplicantFailed,
		nm.NmDeviceStateReasonFirmwareMissing, nm.NmDeviceStateReasonIpMethodUnsupported,
		nm.NmDeviceStateReasonDependencyFailed:
		return netmgr.Broken
	}
	if joined {
		return netmgr.Lost
	}
	return netmgr.Broken
}

// explain says in words for a person what a failure to be in a network means.
func explain(why netmgr.Failure, reason nm.NmDeviceStateReason, ssid string) string {
	switch why {
	case netmgr.WrongPassword:
		return fmt.Sprintf("Wrong password for %s.", ssid)
	case netmgr.NotFound:
		return fmt.Sprintf("%s is not in reach.", ssid)
	case netmgr.Refused:
		return fmt.Sprintf("%s refused this computer. Check the password, and whether the router lets new devices in.", ssid)
	case netmgr.NoAnswer:
		return fmt.Sprintf("%s does not answer.", ssid)
	case netmgr.Unsupported:
		return fmt.Sprintf("This computer's WiFi cannot join %s: its security is not supported.", ssid)
	}
	switch reason {
	case nm.NmDeviceStateReasonUserRequested, nm.NmDeviceStateReasonConnectionRemoved:
		return fmt.Sprintf("%s was switched off on this computer.", ssid)
	case nm.NmDeviceStateReasonSleeping:
		return "This computer was asleep, or its networking is switched off."
	case nm.NmDeviceStateReasonRemoved, nm.NmDeviceStateReasonNowUnmanaged:
		return "The WiFi adapter was taken away, or is not NetworkManager's any more."
	case nm.NmDeviceStateReasonFirmwareMissing:
		return "The WiFi adapter's firmware is missing on this computer."
	}
	if why == netmgr.Lost {
		return fmt.Sprintf("%s fell silent.", ssid)
	}
	return fmt.Sprintf("NetworkManager could not join %s%s.", ssid, numbered(reason))
}

// explainAccessPoint says in words for a person why our access point is not up.
func explainAccessPoint(reason nm.NmDeviceStateReason) string {
	switch reason {
	case nm.NmDeviceStateReasonSharedStartFailed, nm.NmDeviceStateReasonSharedFailed, nm.NmDeviceStateReasonIpConfigUnavailable:
		return "NetworkManager could not give addresses to clients of the access point. Install dnsmasq (Debian: dnsmasq-base)."
	case nm.NmDeviceStateReasonSupplicantTimeout, nm.NmDeviceStateReasonSupplicantFailed,
		nm.NmDeviceStateReasonSupplicantConfigFailed, nm.NmDeviceStateReasonSupplicantDisconnect:
		return "The WiFi adapter or its driver could not be an access point there."
	case nm.NmDeviceStateReasonUserRequested, nm.NmDeviceStateReasonConnectionRemoved:
		return "The access point was switched off on this computer."
	}
	return fmt.Sprintf("NetworkManager could not start the access point%s.", numbered(reason))
}

// numbered leads a person to where a reason that is rare is explained.
func numbered(reason nm.NmDeviceStateReason) string {
	if reason <= nm.NmDeviceStateReasonUnknown {
		return " and does not say why; its log may (journalctl -u NetworkManager)"
	}
	return fmt.Sprintf(": reason %d; see its log (journalctl -u NetworkManager)", reason)
}

// Names of D-Bus errors that say something to a person.
const (
	errorNotAllowed = nm.DeviceInterface + ".NotAllowed" // a scan, just now
	errorUnknown    = "org.freedesktop.DBus.Error.UnknownMethod"
)

// denied are the errors of a user who lacks a right.
var denied = map[string]bool{
	nm.NetworkManagerInterface + ".PermissionDenied":              true,
	nm.SettingsInterface + ".PermissionDenied":                    true,
	nm.DeviceInterface + ".PermissionDenied":                      true,
	"org.freedesktop.DBus.Error.AccessDenied":                     true,
	"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired": true,
}

// errorName is the name of a D-Bus error; empty: it is none.
func errorName(err error) string {
	var e dbus.Error
	if errors.As(err, &e) {
		return e.Name
	}
	return ""
}

// advice says in words for a person why NetworkManager refused a request, and what to do.
func advice(err error) string {
	switch name := errorName(err); {
	case denied[name]:
		return "This user may not change WiFi. Start manofwar from the desktop session or as root, or allow " +
			"org.freedesktop.NetworkManager.network-control and .settings.modify.own by a polkit rule."
	case name == errorUnknown:
		return "This NetworkManager is too old: 1.16 or newer is needed."
	}
	return fmt.Sprintf("NetworkManager refused: %v.", err)
}
