// Package networkmanager lets the policy of [manofwar/netmgr] drive the WiFi radios of an ordinary Linux through
// NetworkManager, over D-Bus. It is a backend like package native's own radios: events come out of [Backend.Run], plans
// go into [Backend.CarryOut].
//
// What NetworkManager does well is left to it: wpa_supplicant (or iwd), DHCP, routes, name servers, and the sharing of
// the way out with clients of an access point. What is taken over is the decision which network to be in, and when to
// give one up: NetworkManager waits fifteen seconds for a network that fell silent.
//
// It is a guest. The connections that it makes are called "manofwar-" and the profile's ID, live in memory only, never
// connect by themselves, and are bound to our connection to the bus: when this process ends, however that happens,
// NetworkManager takes them away and goes back to the user's own. It changes no connection of the user's, and when the
// user chooses another network at the desktop, that radio is his until he leaves it again.
//
// NetworkManager cannot be in a network and be an access point with one radio, move an access point to another channel,
// look at some channels only, or tell clients of an access point wrong names: what a plan wants of these is refused in
// words for a person, or done as far as it can be. It is told apart from a network that has no DHCP server: a network is
// joined once its link is secured, as it is for the other backend.
//
// Interfaces, methods, states and reasons are those of the NetworkManager D-Bus reference, version 1.16 and newer, by
// the names of [github.com/Wifx/gonetworkmanager/v2]. It runs on Linux only.
package networkmanager
