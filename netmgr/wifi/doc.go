// Package wifi carries out on this host's radios what the policy plans for them: it looks for networks, joins one with
// each radio, and makes an access point of our own, over nl80211, and tells the policy what becomes of it.
//
// It decides nothing but the order of steps on one radio, which has one channel at a time: a network is left before the
// access point moves, and joined after. How to join is package station's, how to be an access point package
// accesspoint's; addresses are those of the links, whatever they are made of. Only Linux has nl80211.
package wifi
