package station

import (
	"errors"
	"fmt"

	"manofwar/netmgr"
	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/wpa"
	"manofwar/netmgr/wpa/sae"
)

// The failures, in words for a person. An SSID is shown as it is where it can be.

func (n Network) wrongPassword(err error) *Error {
	return &Error{netmgr.WrongPassword, fmt.Sprintf("Wrong password for %s.", n.SSID), err}
}

func (n Network) notFound() *Error {
	return &Error{netmgr.NotFound, fmt.Sprintf("%s is not in reach.", n.SSID), nil}
}

func (n Network) noAnswer(err error) *Error {
	return &Error{netmgr.NoAnswer, fmt.Sprintf("%s does not answer. Is it too far away?", n.SSID), err}
}

func (n Network) unsupported(why string) *Error {
	return &Error{netmgr.Unsupported, fmt.Sprintf("%s cannot be joined: %s.", n.SSID, why), nil}
}

func (n Network) silent(err error) *Error {
	return &Error{netmgr.Lost, fmt.Sprintf("%s has fallen silent.", n.SSID), err}
}

func (n Network) thrownOut(reason ieee80211.Reason) *Error {
	return &Error{netmgr.Lost, fmt.Sprintf("%s ended the connection (%s).", n.SSID, reason), nil}
}

func (n Network) refused(why fmt.Stringer) *Error {
	return &Error{netmgr.Refused, fmt.Sprintf("%s does not let this device in (%s).", n.SSID, why), nil}
}

func (n Network) full() *Error {
	return &Error{netmgr.Refused, fmt.Sprintf("%s has no room for another device.", n.SSID), nil}
}

func (n Network) maybeWrong(s ieee80211.Status) *Error {
	return &Error{netmgr.WrongPassword, fmt.Sprintf("%s does not let this device in: the password may be wrong.", n.SSID), errors.New(s.String())}
}

func (n Network) occupied(err error) *Error {
	return &Error{netmgr.Broken, fmt.Sprintf("%s is on another channel than this device's own access point.", n.SSID), err}
}

func switchedOff() *Error {
	return &Error{netmgr.Broken, "The WiFi radio was switched off or taken out.", nil}
}

func broken(err error) *Error {
	return &Error{netmgr.Broken, "The WiFi radio does not do what it is told.", err}
}

// refusal explains the status with which an access point says no.
func (n Network) refusal(s ieee80211.Status) *Error {
	switch s {
	case ieee80211.StatusFull, ieee80211.StatusTryLater:
		return n.full()
	case ieee80211.StatusChallenge:
		return n.wrongPassword(nil)
	default:
		return n.refused(s)
	}
}

// unproved explains why SAE failed, by the access point's last word. hostapd answers a confirm that does not verify with
// an unspecified failure.
func (n Network) unproved(answer ieee80211.Auth, err error) *Error {
	const confirm = 2
	switch {
	case !errors.Is(err, sae.ErrRefused):
		return n.handshake(err)
	case answer.Transaction == confirm && answer.Status == ieee80211.StatusUnspecified:
		return n.wrongPassword(err)
	default:
		return n.refusal(answer.Status)
	}
}

// handshake explains why keys could not be agreed on.
func (n Network) handshake(err error) *Error {
	switch {
	case errors.Is(err, wpa.ErrWrongPassword):
		return n.wrongPassword(err)
	case errors.Is(err, wpa.ErrPassphrase):
		return &Error{netmgr.WrongPassword, fmt.Sprintf("The password of %s cannot be one: %s.", n.SSID, wpa.ErrPassphrase), nil}
	case errors.Is(err, wpa.ErrDowngrade):
		return &Error{netmgr.Refused, fmt.Sprintf("%s announces other security settings than it uses. Somebody may be pretending to be it.", n.SSID), err}
	case errors.Is(err, sae.ErrGroup):
		return n.unsupported("it does not know the group of SAE that every WPA3 device has to know")
	default:
		return &Error{netmgr.Refused, fmt.Sprintf("%s does not let this device in.", n.SSID), err}
	}
}
